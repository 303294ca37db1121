//! A stretch of network that can be cut: what is sent over it waits, or its connections break.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Failure;

/// Takes connections on a port of its own and passes what comes on to another, until the process ends.
#[derive(Clone)]
pub struct Proxy {
    pub port: u16,
    leads_to: Arc<AtomicU16>,
    is_cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    pub fn to(port: u16) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (leads_to, open) = (Arc::new(AtomicU16::new(port)), Arc::default());
        let proxy = Self { port: listener.local_addr()?.port(), leads_to, is_cut: Arc::default(), open };
        let passing = proxy.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let port = passing.leads_to.load(Ordering::Acquire);
                if let Ok(other) = TcpStream::connect(("127.0.0.1", port)) {
                    passing.join(&stream, &other);
                }
            }
        });
        Ok(proxy)
    }

    fn join(&self, one: &TcpStream, other: &TcpStream) {
        for (from, to) in [(one, other), (other, one)] {
            let _ = from.set_nodelay(true);
            let (Ok(from), Ok(to), Ok(kept)) = (from.try_clone(), to.try_clone(), from.try_clone()) else { return };
            self.open.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
            let is_cut = Arc::clone(&self.is_cut);
            std::thread::spawn(move || pass(from, to, &is_cut));
        }
    }

    /// From now on new connections go to another port.
    pub fn point_to(&self, port: u16) {
        self.leads_to.store(port, Ordering::Release);
    }

    /// From now on nothing comes through, and nobody is told.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
    }

    /// What was open breaks; new connections come through.
    pub fn mend(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.is_cut.store(false, Ordering::Release);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, is_cut: &AtomicBool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        while is_cut.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
