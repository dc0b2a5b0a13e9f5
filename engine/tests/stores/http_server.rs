//! A web server of the tests' own: what it answers is a function of what it is asked.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub method: String,
    /// Path with query, as it was sent.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Returns the first and last byte that are asked for.
    pub fn range(&self) -> Option<(usize, usize)> {
        let (from, to) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        Some((from.parse().ok()?, to.parse().unwrap_or(usize::MAX)))
    }

    /// Reads a request; nothing when the client said nothing.
    pub fn read(stream: &mut TcpStream) -> io::Result<Option<Asked>> {
        let mut data = Vec::new();
        let mut block = [0; 64 * 1024];
        let end = loop {
            if let Some(at) = data.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read(&mut block)? {
                0 => return Ok(None),
                read => data.extend_from_slice(&block[..read]),
            }
        };
        let mut body = data.split_off(end);
        let (first, headers) = head(&data);
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let size = header(&headers, "content-length").and_then(|size| size.parse().ok()).unwrap_or(0);
        while body.len() < size {
            match stream.read(&mut block)? {
                0 => break,
                read => body.extend_from_slice(&block[..read]),
            }
        }
        Ok(Some(Asked { method, path, headers, body }))
    }

    /// Asks the server on a port, on a connection of its own.
    pub fn ask(&self, port: u16) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        let mut request = format!("{} {} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            if !["host", "connection", "content-length"].contains(&name.as_str()) {
                request.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        request.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", self.body.len()));
        stream.write_all(request.as_bytes())?;
        stream.write_all(&self.body)?;
        let mut data = Vec::new();
        stream.read_to_end(&mut data)?;
        let end = data.windows(4).position(|window| window == b"\r\n\r\n").map_or(data.len(), |at| at + 4);
        let body = data.split_off(end);
        let (first, headers) = head(&data);
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(500);
        Ok(Answer { status, headers, body })
    }
}

/// An answer; whoever asks by HEAD gets its head.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    fn send(self, stream: &mut TcpStream, asked: &Asked) -> io::Result<()> {
        let mut text = format!("HTTP/1.1 {} Answer\r\n", self.status);
        for (name, value) in &self.headers {
            if !["connection", "transfer-encoding"].contains(&name.as_str()) {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        if self.header("content-length").is_none() {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        text.push_str("Connection: close\r\n\r\n");
        stream.write_all(text.as_bytes())?;
        if asked.method == "HEAD" { Ok(()) } else { stream.write_all(&self.body) }
    }
}

/// A server that runs as long as the tests do.
pub struct WebServer {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl WebServer {
    pub fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> WebServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, answer) = (asked.clone(), Arc::new(answer));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (log, answer) = (log.clone(), answer.clone());
                // A client that goes away is no matter of the server.
                thread::spawn(move || {
                    let Some(asked) = Asked::read(&mut stream)? else { return Ok(()) };
                    log.lock().unwrap().push(Asked { body: Vec::new(), ..asked.clone() });
                    answer(&asked).send(&mut stream, &asked)
                });
            }
        });
        WebServer { port, asked }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns what was asked since the last call, without bodies.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn head(data: &[u8]) -> (String, Vec<(String, String)>) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    (first, headers.collect())
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
