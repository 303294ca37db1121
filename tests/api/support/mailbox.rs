//! A server that takes mail, as well or as badly as a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the server does with the next letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes them.
    Good,
    /// Answers the recipient with this code.
    Answers(u16),
    /// Reads the whole letter, then breaks off.
    BreaksOff,
    /// Reads the whole letter, then says nothing any more.
    FallsSilent,
    /// Says nothing at all.
    Silent,
}

/// A letter as it came.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: String,
    /// Headers and body.
    pub data: String,
    /// Whether the sender was told that it was taken.
    pub is_taken: bool,
}

impl Mail {
    pub fn header(&self, name: &str) -> String {
        let (head, _) = self.data.split_once("\r\n\r\n").expect("a head and a body");
        let head = head.replace("\r\n ", " ");
        let mut lines = head.split("\r\n").filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let found = lines.next().unwrap_or_else(|| panic!("no {name} in {head}")).to_owned();
        assert_eq!(lines.next(), None, "a second {name}");
        found
    }

    /// The text, decoded.
    pub fn text(&self) -> String {
        let (_, body) = self.data.split_once("\r\n\r\n").expect("a head and a body");
        match self.header("Content-Transfer-Encoding").as_str() {
            "quoted-printable" => {
                let whole = body.replace("=\r\n", "").replace('%', "%25").replace('=', "%");
                percent_encoding::percent_decode_str(&whole).decode_utf8().expect("UTF-8").into_owned()
            }
            "7bit" => body.to_owned(),
            other => panic!("{other} is not expected"),
        }
    }

    /// The path of the link in it.
    pub fn path(&self) -> String {
        let text = self.text();
        let at = text.find("/verifications/").unwrap_or_else(|| panic!("a link in {text}"));
        text[at..].split_whitespace().next().expect("a path").to_owned()
    }
}

/// A mailbox for whatever is sent, whomever to.
#[derive(Clone)]
pub struct Mailbox {
    /// For `REJOINDER_MAIL`.
    pub url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    mood: Mood,
    mails: Vec<Mail>,
    connections: usize,
}

impl Mailbox {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State { mood: Mood::Good, mails: Vec::new(), connections: 0 }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || talk(stream, &state));
            }
        });
        Self { url, state }
    }

    pub fn set_mood(&self, mood: Mood) {
        self.state.lock().expect("the mailbox").mood = mood;
    }

    /// Everything that came, taken or not.
    pub fn mails(&self) -> Vec<Mail> {
        self.state.lock().expect("the mailbox").mails.clone()
    }

    /// How often somebody came.
    pub fn connections(&self) -> usize {
        self.state.lock().expect("the mailbox").connections
    }
}

/// Talks SMTP (RFC 5321) to one client, as far as it goes.
fn talk(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mood = {
        let mut state = state.lock().expect("the mailbox");
        state.connections += 1;
        state.mood
    };
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    let mut say = |line: &str| stream.write_all(format!("{line}\r\n").as_bytes()).ok();
    if mood == Mood::Silent {
        return wait_for_the_end(&mut lines);
    }
    say("220 mailbox.example")?;
    let mut to = String::new();
    loop {
        let line = read_line(&mut lines)?;
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => say("250-mailbox.example\r\n250 AUTH PLAIN")?,
            "AUTH" => say("235 welcome")?,
            "RCPT" => {
                line.split(['<', '>']).nth(1).unwrap_or_default().clone_into(&mut to);
                match mood {
                    // As servers do, it repeats the address.
                    Mood::Answers(code) => say(&format!("{code} <{to}> is not welcome"))?,
                    _ => say("250 ok")?,
                }
            }
            "DATA" => {
                say("354 go on")?;
                let mut data = String::new();
                loop {
                    let line = read_line(&mut lines)?;
                    if line == "." {
                        break;
                    }
                    data.push_str(line.strip_prefix('.').unwrap_or(&line));
                    data.push_str("\r\n");
                }
                let is_taken = mood == Mood::Good;
                state.lock().expect("the mailbox").mails.push(Mail { to: to.clone(), data, is_taken });
                match mood {
                    Mood::BreaksOff => return None,
                    Mood::FallsSilent => return wait_for_the_end(&mut lines),
                    _ => say("250 taken")?,
                }
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 ok")?,
        }
    }
}

fn read_line(lines: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = lines.read_line(&mut line).ok()?;
    (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

fn wait_for_the_end(lines: &mut BufReader<TcpStream>) -> Option<()> {
    while read_line(lines).is_some() {}
    None
}
