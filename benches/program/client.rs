//! One client on one kept connection, as small as can be: it must not be what is measured.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::json;

use super::{Failure, PASSWORD};

/// A connection.
pub struct Client {
    stream: BufReader<TcpStream>,
    host: String,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    pub fn connect(base: &str) -> Result<Self, Failure> {
        let host = base.strip_prefix("http://").ok_or("not http")?.to_owned();
        let stream = TcpStream::connect(&host)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host })
    }

    /// Signs in as the administrator; the header that says so.
    pub fn sign_in(&mut self) -> Result<String, Failure> {
        let body = json!({ "username": "ines", "password": PASSWORD }).to_string();
        let answer = self.send("POST", "/api/v1/session", "Content-Type: application/json\r\n", &body)?.json()?;
        let token = answer["access_token"].as_str().ok_or("no access token")?;
        Ok(format!("Authorization: Bearer {token}\r\n"))
    }

    /// Sends a request and reads its whole answer.
    pub fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Result<Answer, Failure> {
        let (host, length) = (&self.host, body.len());
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.line()?.split(' ').nth(1).ok_or("no status")?.parse()?;
        let mut answer = Answer { status, headers: Vec::new(), body: Vec::new() };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        answer.body.resize(answer.header("content-length").map_or(Ok(0), str::parse)?, 0);
        self.stream.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Result<serde_json::Value, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}
