//! Verifying: reads the whole chain and says which entries are not as they were sealed.
//!
//! Whoever may write to the database may rewrite the chain from some place on. That shows only to somebody who kept a
//! head from before: it is then in the chain no more. So keep heads where the database's administrator cannot write.

use std::fmt;

use crate::app::App;
use crate::kit::ids::AuditEntryId;
use crate::store::StoreResult;

use super::chain::{self, ChainHash};
use super::queries::{self, EntryRow};

/// Entries read at once.
const CHUNK: i64 = 2_000;

/// The most flaws that are named; the rest is counted.
const MOST_NAMED: usize = 100;

/// What verifying found.
#[derive(Debug, Default)]
pub struct Verified {
    /// Entries in the chain.
    pub sealed: u64,
    /// Entries that wait for their place.
    pub unsealed: u64,
    /// Entries of which what was personal has been erased.
    pub erased: u64,
    /// The last place and its hash; none in an empty log.
    pub head: Option<(i64, ChainHash)>,
    /// The first hundred; the log is whole when there are none.
    pub flaws: Vec<Flaw>,
    /// How many more there are.
    pub unnamed_flaws: u64,
}

/// Something that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It does not fit its hash and the one before it.
    Changed { seq: i64, id: AuditEntryId },
    /// It stands between two that follow each other, or at a place that another one has.
    Inserted { seq: i64, id: AuditEntryId },
    /// Places that nobody has.
    Removed { from: i64, to: i64 },
    /// What is personal is not what was written, and was not erased either.
    PrivateChanged { seq: i64, id: AuditEntryId },
    /// The hash that was given is nowhere.
    HeadMissing,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { seq, id } => write!(
                f,
                "entry {seq} (id {id}) is not as it was sealed: it was changed or added by hand, or the one before it is gone"
            ),
            Self::Inserted { seq, id } => write!(f, "entry {seq} (id {id}) was inserted: it is not part of the chain"),
            Self::Removed { from, to } if from == to => write!(f, "entry {from} was removed"),
            Self::Removed { from, to } => write!(f, "entries {from} to {to} were removed"),
            Self::PrivateChanged { seq, id } => {
                write!(f, "entry {seq} (id {id}): its personal part was changed, and not by erasing it")
            }
            Self::HeadMissing => {
                f.write_str("the head that was given is not in the log: its end was cut off, or it was written anew")
            }
        }
    }
}

impl Verified {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.flaws.is_empty()
    }
}

/// Reads the whole log. `known_head` is a head from before, which must be in it. `progress` hears how many entries have
/// been read.
///
/// # Errors
/// Those of the store.
pub async fn verify(app: &App, known_head: Option<ChainHash>, mut progress: impl FnMut(u64)) -> StoreResult<Verified> {
    let mut reader = Reader::new(known_head);
    let mut after = None;
    loop {
        let rows = app.store.read(move |conn| queries::list_chain(conn, after, CHUNK)).await?;
        let Some(last) = rows.last() else { break };
        after = last.seq.map(|seq| (seq, last.id));
        for row in &rows {
            reader.take(row);
        }
        progress(reader.found.sealed);
    }
    let unsealed = app.store.read(queries::count_unsealed).await?;
    Ok(reader.finish(unsealed))
}

/// How many entries there are, sealed or not.
///
/// # Errors
/// Those of the store.
pub async fn count_entries(app: &App) -> StoreResult<u64> {
    Ok(app.store.read(queries::count_entries).await?.try_into().unwrap_or(0))
}

/// Goes along the chain.
struct Reader {
    found: Verified,
    wanted: Option<ChainHash>,
    last_seq: i64,
    /// What the next entry must follow.
    tail: Vec<u8>,
    /// Entries just read that did not fit, and what came before them: if the next one fits there, they were inserted.
    doubted: Vec<Flaw>,
    before_doubts: Vec<u8>,
}

impl Reader {
    fn new(wanted: Option<ChainHash>) -> Self {
        Self {
            found: Verified::default(),
            wanted,
            last_seq: 0,
            tail: chain::START.to_vec(),
            doubted: Vec::new(),
            before_doubts: Vec::new(),
        }
    }

    fn take(&mut self, row: &EntryRow) {
        let (seq, id) = (row.seq.unwrap_or_default(), row.id);
        let stored = row.hash.clone().unwrap_or_default();
        self.found.sealed += 1;
        self.found.erased += u64::from(row.private.is_none() && row.private_hash.is_some());
        let follows = |before: &[u8]| chain::hash_after(before, row).as_slice() == stored;
        if follows(&self.tail) {
            self.settle();
            if seq != self.last_seq + 1 {
                self.name(Flaw::Changed { seq, id });
            }
        } else if !self.doubted.is_empty() && follows(&self.before_doubts) {
            self.doubted.iter_mut().for_each(Flaw::become_inserted);
            self.settle();
        } else if seq <= self.last_seq {
            // What has the place goes on being what the next one must follow.
            return self.name(Flaw::Inserted { seq, id });
        } else if seq > self.last_seq + 1 {
            // What it follows is gone, so that whether it was changed too cannot be told.
            self.settle();
            self.name(Flaw::Removed { from: self.last_seq + 1, to: seq - 1 });
        } else {
            if self.doubted.is_empty() {
                self.before_doubts.clone_from(&self.tail);
            }
            self.doubted.push(Flaw::Changed { seq, id });
        }
        if !chain::is_private_intact(row) {
            self.name(Flaw::PrivateChanged { seq, id });
        }
        if self.wanted.as_ref().is_some_and(|wanted| wanted.0 == stored) {
            self.wanted = None;
        }
        self.last_seq = seq;
        self.tail = stored;
    }

    /// The entries in doubt are what they were taken for.
    fn settle(&mut self) {
        for flaw in std::mem::take(&mut self.doubted) {
            self.name(flaw);
        }
    }

    fn name(&mut self, flaw: Flaw) {
        if self.found.flaws.len() < MOST_NAMED {
            self.found.flaws.push(flaw);
        } else {
            self.found.unnamed_flaws += 1;
        }
    }

    fn finish(mut self, unsealed: i64) -> Verified {
        self.settle();
        if self.wanted.is_some() {
            self.name(Flaw::HeadMissing);
        }
        self.found.unsealed = unsealed.try_into().unwrap_or(0);
        self.found.head = (self.found.sealed > 0).then_some((self.last_seq, ChainHash(self.tail)));
        self.found
    }
}

impl Flaw {
    fn become_inserted(&mut self) {
        if let Self::Changed { seq, id } = *self {
            *self = Self::Inserted { seq, id };
        }
    }
}
