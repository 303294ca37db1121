//! Between the sockets and the framework: no client holds a connection longer, or more memory of it, than it needs.
//!
//! The framework alone times the first head of a connection only, reads on while nobody takes its answers, and answers
//! whatever a client has pipelined into memory. [`Guarded`] sees every byte; [`Turn`], told by [`InHand`] where requests
//! and answers begin and end, says what those bytes are. A body's deadline is not here: `http/body.rs` answers 408.
//!
//! There is no limit by address: behind one proxy, or one school's router, all readers have the same.

use std::cell::Cell;
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::error::{DispatchError, PayloadError};
use actix_http::header::CONTENT_LENGTH;
use actix_http::{HttpMessage, HttpService, KeepAlive, Payload, Request, Response};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_service};
use actix_web::rt::net::TcpStream;
use bytes::Bytes;
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a request's head may take from its first byte, and the first one of a connection from its opening. Apache
/// (`mod_reqtimeout`) gives 20 s and nginx (`client_header_timeout`) 60 s; but a head fits into one or two packets.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// How long a connection may wait for its next request.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long a client may take no byte of what waits for it. An answer that is slow because of us, such as a stream of
/// events, has no deadline: nothing waits meanwhile.
const STUCK_READER: Duration = Duration::from_secs(30);
/// How long what a client still sends is read and dropped after an early last answer, so that it can read that answer.
const LINGER: Duration = Duration::from_secs(1);
/// How many bytes are read ahead of what the framework gets, a head at a time. A browser's head fits.
const AHEAD: usize = 4 * 1024;
/// The most bytes of an answer that are copied for the socket at once. A usual thread goes in one piece, and a thousand
/// readers who take nothing hold at most 128 MiB.
const PIECE: usize = 128 * 1024;

/// What is said to a client whose head did not come in time.
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Serves HTTP/1.1 on guarded connections. `stopping` gives a future that ends when the server is told to stop.
pub fn guarded<I, S, B, Stopping>(
    application: I,
    stopping: impl Fn() -> Stopping + 'static,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
where
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = ()> + 'static,
    S::Error: Into<Response<BoxBody>> + 'static,
    S::InitError: std::fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + Unpin + 'static,
    Stopping: Future<Output = ()> + 'static,
{
    let application = apply_fn_factory(application, |mut request: Request, service: &S::Service| {
        let in_hand = InHand::take(&mut request);
        let answer = service.call(request);
        async move {
            let answer: Response<B> = answer.await?.into();
            Ok(answer.map_body(|_, body| Pieces { body, rest: Bytes::new(), _in_hand: in_hand }))
        }
    });
    let http = HttpService::build()
        .graceful_shutdown_signal(stopping)
        // All waiting is timed here.
        .client_request_timeout(Duration::ZERO)
        .keep_alive(KeepAlive::Os)
        .client_disconnect_timeout(LINGER)
        .on_connect_ext(|connection: &Guarded, data| {
            data.insert(Rc::clone(&connection.turn));
        })
        .h1(application);
    fn_service(async |stream: TcpStream| {
        // An answer of several pieces must not wait for the acknowledgement of the first.
        let _ = stream.set_nodelay(true);
        bound_unsent(&stream);
        let peer: Option<SocketAddr> = stream.peer_addr().ok();
        Ok((Guarded::new(stream), peer))
    })
    .and_then(http)
}

/// Lets the kernel take no more than a piece beyond what the client has room for: left alone, it takes megabytes for each
/// client that reads nothing, and the time to copy them from everybody else.
fn bound_unsent(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    if let Ok(most) = u32::try_from(PIECE) {
        let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(most);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// What a connection is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// An answer was made, and no byte of a further request has come since.
    Idle,
    /// Some bytes of a head are here, or the connection has just been opened for them.
    Head,
    /// A request is in hand, and so many bytes of its body are still to come.
    Sized(u64),
    /// A request is in hand whose body ends where its last chunk says so.
    Chunked,
    /// A request is in hand and nothing more of it is to come. What its client sends meanwhile has to wait.
    Answer,
}

/// Whose turn it is on a connection, shared by what reads and writes it and what answers on it.
struct Turn {
    phase: Cell<Phase>,
    deadline: Cell<Option<Instant>>,
    /// Whom to wake when reading may go on.
    reader: Cell<Option<Waker>>,
}

impl Turn {
    fn enter(&self, phase: Phase) {
        let limit = match phase {
            Phase::Idle => Some(KEEP_ALIVE),
            Phase::Head => Some(HEAD_DEADLINE),
            Phase::Sized(_) | Phase::Chunked | Phase::Answer => None,
        };
        self.phase.set(phase);
        self.deadline.set(limit.map(|limit| Instant::now() + limit));
    }

    fn read_on(&self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// A socket that gives one request at a time and waits no longer than it should.
struct Guarded {
    stream: TcpStream,
    turn: Rc<Turn>,
    clock: Pin<Box<Sleep>>,
    ahead: Box<[u8; AHEAD]>,
    /// What of `ahead` is not given yet.
    waiting: Range<usize>,
    /// Whether what was given last is the beginning of a line.
    is_at_line: bool,
    /// Whether it was an empty line, which may end a request: the framework has to look at it before it gets more.
    is_at_end: bool,
    /// Since when the client has taken nothing of what waits for it.
    stuck_since: Option<Instant>,
}

impl Guarded {
    fn new(stream: TcpStream) -> Self {
        let turn = Turn { phase: Cell::new(Phase::Head), deadline: Cell::default(), reader: Cell::default() };
        turn.enter(Phase::Head);
        Self {
            stream,
            turn: Rc::new(turn),
            clock: Box::pin(sleep(HEAD_DEADLINE)),
            ahead: Box::new([0; AHEAD]),
            waiting: 0..0,
            is_at_line: false,
            is_at_end: false,
            stuck_since: None,
        }
    }

    /// Ready when it is too late.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.clock.deadline() != deadline {
            self.clock.as_mut().reset(deadline);
        }
        self.clock.as_mut().poll(cx)
    }

    /// Reads what there is, in time.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut ahead = ReadBuf::new(&mut self.ahead[..]);
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, &mut ahead) {
            self.waiting = 0..ahead.filled().len();
            return Poll::Ready(read);
        }
        let Some(deadline) = self.turn.deadline.get() else { return Poll::Pending };
        ready!(self.poll_deadline(cx, deadline));
        if self.turn.phase.get() == Phase::Head {
            // As much of it as fits: whoever is this slow is not waited for.
            let _ = Pin::new(&mut self.stream).poll_write(cx, TOO_SLOW);
        }
        Poll::Ready(Err(Error::from(ErrorKind::TimedOut)))
    }

    /// How many of so many waiting bytes end with the first empty line, or all.
    fn up_to_empty_line(&mut self, most: usize) -> usize {
        for (before, byte) in self.ahead[self.waiting.start..][..most].iter().enumerate() {
            match byte {
                b'\n' if self.is_at_line => {
                    (self.is_at_line, self.is_at_end) = (false, true);
                    return before + 1;
                }
                b'\n' => self.is_at_line = true,
                b'\r' => {}
                _ => self.is_at_line = false,
            }
        }
        most
    }
}

impl AsyncRead for Guarded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        // A client that takes no answers gets no further ones made; nor does one that cannot wait for its turn.
        if this.stuck_since.is_some() || this.turn.phase.get() == Phase::Answer {
            this.turn.reader.set(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        if this.is_at_end {
            this.is_at_end = false;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if this.waiting.is_empty() {
            ready!(this.poll_ahead(cx))?;
        }
        let most = this.waiting.len().min(buf.remaining());
        let count = match this.turn.phase.get() {
            Phase::Sized(left) => {
                let count = most.min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - count as u64;
                this.turn.enter(if left == 0 { Phase::Answer } else { Phase::Sized(left) });
                count
            }
            Phase::Idle if most > 0 => {
                this.turn.enter(Phase::Head);
                this.is_at_line = false;
                this.up_to_empty_line(most)
            }
            _ => this.up_to_empty_line(most),
        };
        buf.put_slice(&this.ahead[this.waiting.start..][..count]);
        this.waiting.start += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        if written.is_pending() {
            let since = *this.stuck_since.get_or_insert_with(Instant::now);
            ready!(this.poll_deadline(cx, since + STUCK_READER));
            return Poll::Ready(Err(Error::from(ErrorKind::TimedOut)));
        }
        if this.stuck_since.take().is_some() {
            this.turn.read_on();
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// A request whose head is whole, until its answer is made to the last byte.
struct InHand(Option<Rc<Turn>>);

impl InHand {
    fn take(request: &mut Request) -> Self {
        let turn = request.conn_data::<Rc<Turn>>().cloned();
        if let Some(turn) = &turn {
            let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            match (request.take_payload(), length) {
                (Payload::None, _) => turn.enter(Phase::Answer),
                (payload, Some(length)) => {
                    turn.enter(Phase::Sized(length));
                    *request.payload() = payload;
                }
                (payload, None) => {
                    turn.enter(Phase::Chunked);
                    let body = Incoming { payload, turn: Rc::clone(turn) };
                    *request.payload() = Payload::Stream { payload: Box::pin(body) };
                }
            }
        }
        Self(turn)
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if let Some(turn) = &self.0 {
            turn.enter(Phase::Idle);
            turn.read_on();
        }
    }
}

/// A body in chunks, which tells when its last has come or nobody wants more of it.
struct Incoming {
    payload: Payload,
    turn: Rc<Turn>,
}

impl Incoming {
    fn end(&self) {
        if self.turn.phase.get() == Phase::Chunked {
            self.turn.enter(Phase::Answer);
        }
    }
}

impl Stream for Incoming {
    type Item = std::result::Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.payload).poll_next(cx));
        if !matches!(next, Some(Ok(_))) {
            self.end();
        }
        Poll::Ready(next)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.end();
    }
}

/// An answer's body in pieces: the framework copies what it gets, and a page that many share has up to 4 MiB.
struct Pieces<B> {
    body: B,
    rest: Bytes,
    _in_hand: InHand,
}

impl<B: MessageBody + Unpin> MessageBody for Pieces<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<std::result::Result<Bytes, B::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(cx)) {
                Some(Ok(bytes)) => self.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}
