//! A proxy that makes the network as bad as networks are.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It passes.
    None,
    /// The proxy answers with this status itself.
    Status(u16),
    /// It is answered, but the connection ends before the answer arrives.
    Lost,
    /// The connection ends after so many bytes of the answer.
    Cut(usize),
    /// The answer ends after so many bytes of its body, and says that these are all.
    Short(usize),
    /// The connection ends after so many bytes of the request.
    Torn(usize),
    /// The server gets it twice; the second answer arrives.
    Twice,
    /// The answer comes late.
    Delay(Duration),
    /// It never reaches the server.
    Dropped,
}

type Plan = dyn Fn(usize, &str) -> Fault + Send + Sync;

/// A proxy in front of one server.
pub struct Proxy {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl Proxy {
    /// Starts a proxy; the plan is asked with the number of the request and its first line.
    pub fn new(server: u16, plan: impl Fn(usize, &str) -> Fault + Send + Sync + 'static) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let (count, plan): (_, Arc<Plan>) = (requests.clone(), Arc::new(plan));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (count, plan) = (count.clone(), plan.clone());
                // A client that gives up breaks the connection: that is no matter of the proxy.
                thread::spawn(move || pass(client, server, &count, &*plan));
            }
        });
        Proxy { port, requests }
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Passes one request on: each gets a connection of its own.
fn pass(mut client: TcpStream, server: u16, count: &AtomicUsize, plan: &Plan) -> io::Result<()> {
    let (head, body) = read_request(&mut client)?;
    if head.is_empty() {
        return Ok(());
    }
    let first = head.lines().next().unwrap_or_default();
    let fault = plan(count.fetch_add(1, Ordering::SeqCst), first);
    match fault {
        Fault::Dropped => return client.shutdown(Shutdown::Both),
        Fault::Status(status) => {
            let answer = format!("HTTP/1.1 {status} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return client.write_all(answer.as_bytes());
        }
        Fault::Delay(time) => thread::sleep(time),
        _ => {}
    }
    let mut request = closing(&head).into_bytes();
    request.extend_from_slice(&body);
    match fault {
        Fault::Torn(at) => {
            let mut upstream = TcpStream::connect(("127.0.0.1", server))?;
            upstream.write_all(&request[..at.min(request.len())])?;
            upstream.shutdown(Shutdown::Write)?;
            // Whatever the server makes of it, nobody hears.
            let _ = upstream.read_to_end(&mut request);
            return client.shutdown(Shutdown::Both);
        }
        Fault::Twice => drop(ask(server, &request)?),
        _ => {}
    }
    let mut answer = ask(server, &request)?;
    match fault {
        Fault::Lost => return client.shutdown(Shutdown::Both),
        Fault::Cut(at) => answer.truncate(at),
        // An answer to HEAD has no body.
        Fault::Short(at) if !head.starts_with("HEAD") => answer = shortened(&answer, at),
        _ => {}
    }
    client.write_all(&answer)?;
    client.shutdown(Shutdown::Both)
}

/// Sends a request on a connection of its own and returns the answer.
fn ask(server: u16, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut upstream = TcpStream::connect(("127.0.0.1", server))?;
    upstream.write_all(request)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Returns an answer with a part of its body, which its head takes for the whole.
fn shortened(answer: &[u8], at: usize) -> Vec<u8> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return answer.to_vec();
    };
    let (head, body) = answer.split_at(end + 4);
    let body = &body[..at.min(body.len())];
    let head = String::from_utf8_lossy(head);
    let kept = head.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        !line.is_empty()
            && !["content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str())
    });
    let mut short = kept.map(|line| format!("{line}\r\n")).collect::<String>();
    short.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    let mut short = short.into_bytes();
    short.extend_from_slice(body);
    short
}

fn read_request(client: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut data = Vec::new();
    let mut block = [0; 64 * 1024];
    let end = loop {
        if let Some(at) = data.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        match client.read(&mut block)? {
            0 => return Ok((String::new(), Vec::new())),
            read => data.extend_from_slice(&block[..read]),
        }
    };
    let body = data.split_off(end);
    let head = String::from_utf8_lossy(&data).into_owned();
    let size = header(&head, "content-length").and_then(|size| size.parse().ok()).unwrap_or(0);
    let mut body = body;
    while body.len() < size {
        match client.read(&mut block)? {
            0 => break,
            read => body.extend_from_slice(&block[..read]),
        }
    }
    Ok((head, body))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Asks the server to end the connection, so that its end is the end of the answer.
fn closing(head: &str) -> String {
    let kept = head.trim_end().lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    kept.map(|line| format!("{line}\r\n")).collect::<String>() + "Connection: close\r\n\r\n"
}
