//! What a network does to requests, by chance that repeats itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::proof::Dice;
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::Server;

/// The present state of a network.
#[derive(Clone, Default)]
pub struct Weather(Arc<Mutex<Option<Storm>>>);

struct Storm {
    dice: Dice,
    /// One request of so many goes wrong.
    one_in: usize,
}

impl Weather {
    /// Lets a part of all requests go wrong from now on.
    pub fn worsen(&self, dice: &mut Dice) {
        let one_in = *dice.pick(&[3, 6, 12, 25]);
        *self.0.lock().unwrap() = Some(Storm { dice: Dice(dice.roll()), one_in });
    }

    /// Lets all requests pass from now on.
    pub fn clear_up(&self) {
        *self.0.lock().unwrap() = None;
    }

    /// Returns a proxy whose network has this weather.
    pub fn over(&self, server: &Server) -> Proxy {
        let weather = self.clone();
        Proxy::new(server.port, move |_, _| weather.next())
    }

    fn next(&self) -> Fault {
        let Some(Storm { dice, one_in }) = &mut *self.0.lock().unwrap() else { return Fault::None };
        if dice.below(*one_in) == 0 { fault(dice) } else { Fault::None }
    }
}

/// Returns what goes wrong with one request.
fn fault(dice: &mut Dice) -> Fault {
    // Heads are a few hundred bytes long, bodies up to some hundred thousand.
    let at = |dice: &mut Dice| {
        let end = *dice.pick(&[20, 400, 1_500, 400_000]);
        dice.below(end)
    };
    match dice.below(10) {
        0 => Fault::Status(500),
        1 => Fault::Status(503),
        2 => Fault::Status(429),
        3 => Fault::Dropped,
        4 => Fault::Lost,
        5 => Fault::Cut(at(dice)),
        6 => Fault::Torn(at(dice)),
        7 => Fault::Short(at(dice)),
        8 => Fault::Twice,
        _ => Fault::Delay(Duration::from_millis(dice.below(30) as u64)),
    }
}
