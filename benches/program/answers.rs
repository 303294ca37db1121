//! Answers off the wire, read as far as they are counted: the bodies are only measured, for a client that copies and
//! parses them would take the machine from the server it measures.

use super::Failure;

/// What is counted of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub status: u16,
    pub has_retry_after: bool,
    /// The server said that it is the last on its connection.
    pub is_last: bool,
}

/// One answer, as far as it has come.
#[derive(Default)]
pub struct Coming {
    head: Vec<u8>,
    body: Option<(Seen, usize)>,
}

impl Coming {
    /// Takes bytes as they come; the answer, once it is whole.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<Seen>, Failure> {
        let (seen, missing) = if let Some((seen, missing)) = self.body {
            (seen, missing.checked_sub(bytes.len()).ok_or("more than one answer")?)
        } else {
            self.head.extend_from_slice(bytes);
            let Some(end) = self.head.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
            let (seen, length) = read_head(&self.head[..end])?;
            (seen, length.checked_sub(self.head.len() - end - 4).ok_or("more than one answer")?)
        };
        self.body = Some((seen, missing));
        if missing > 0 {
            return Ok(None);
        }
        *self = Self::default();
        Ok(Some(seen))
    }
}

fn read_head(head: &[u8]) -> Result<(Seen, usize), Failure> {
    let head = std::str::from_utf8(head)?;
    let status: u16 = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    let header = |name: &str| {
        head.lines().find_map(|line| line.split_once(": ").filter(|(known, _)| known.eq_ignore_ascii_case(name)))
    };
    let length = header("content-length").map_or(Ok(0), |(_, length)| length.parse())?;
    let is_last = header("connection").is_some_and(|(_, value)| value.eq_ignore_ascii_case("close"));
    Ok((Seen { status, has_retry_after: header("retry-after").is_some(), is_last }, length))
}
