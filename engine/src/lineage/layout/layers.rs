//! Which layer every node stands in: edges lead to the right, and are short.

/// Rounds in which nodes are drawn towards the side that has more of their edges.
const ROUNDS: usize = 4;

/// Layers of nodes.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Layers {
    /// Layer of every node.
    pub(in super::super) of: Vec<usize>,
    /// Number of layers.
    pub(in super::super) count: usize,
}

impl Layers {
    /// Returns the layers of a graph: longest paths from the left, then every node as near to its neighbours as their
    /// layers allow. Of a loop, the edge that closes it leads back.
    pub(in super::super) fn new(n: usize, edges: &[(usize, usize)]) -> Layers {
        let (order, after, before) = acyclic(n, edges);
        let mut of = vec![0usize; n];
        for &at in &order {
            for &next in &after[at] {
                of[next] = of[next].max(of[at] + 1);
            }
        }
        let last = of.iter().copied().max().unwrap_or(0);
        for round in 0..ROUNDS {
            let backwards = round % 2 == 0;
            let mut tighten = |at: usize| {
                let least = before[at].iter().map(|from| of[*from] + 1).max().unwrap_or(0);
                let most = after[at].iter().map(|to| of[*to] - 1).min().unwrap_or(last);
                of[at] = match before[at].len().cmp(&after[at].len()) {
                    std::cmp::Ordering::Less => most,
                    std::cmp::Ordering::Greater => least,
                    std::cmp::Ordering::Equal => of[at].clamp(least, most),
                };
            };
            if backwards {
                order.iter().rev().for_each(|at| tighten(*at));
            } else {
                order.iter().for_each(|at| tighten(*at));
            }
        }
        Layers::packed(of)
    }

    /// Returns layers without empty ones.
    pub(in super::super) fn packed(mut of: Vec<usize>) -> Layers {
        let mut used = of.clone();
        used.sort_unstable();
        used.dedup();
        for layer in &mut of {
            *layer = used.binary_search(layer).unwrap_or(0);
        }
        Layers { of, count: used.len() }
    }
}

/// Returns the nodes so that edges lead onwards, and the neighbours after and before each once the edges that close a
/// loop are turned round.
#[allow(clippy::type_complexity)]
fn acyclic(n: usize, edges: &[(usize, usize)]) -> (Vec<usize>, Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let mut out = vec![Vec::new(); n];
    let mut fed = vec![false; n];
    for &(from, to) in edges.iter().filter(|(from, to)| from != to) {
        out[from].push(to);
        fed[to] = true;
    }
    // 0 is new, 1 on the way, 2 done.
    let mut state = vec![0u8; n];
    let mut done = Vec::with_capacity(n);
    let (mut after, mut before) = (vec![Vec::new(); n], vec![Vec::new(); n]);
    let starts = (0..n).filter(|at| !fed[*at]).chain((0..n).filter(|at| fed[*at]));
    for start in starts {
        if state[start] != 0 {
            continue;
        }
        let mut path = vec![(start, 0usize)];
        state[start] = 1;
        while let Some((at, next)) = path.last_mut() {
            let (at, i) = (*at, *next);
            *next += 1;
            let Some(&to) = out[at].get(i) else {
                state[at] = 2;
                done.push(at);
                path.pop();
                continue;
            };
            let (from, to_) = if state[to] == 1 { (to, at) } else { (at, to) };
            after[from].push(to_);
            before[to_].push(from);
            if state[to] == 0 {
                state[to] = 1;
                path.push((to, 0));
            }
        }
    }
    done.reverse();
    (done, after, before)
}
