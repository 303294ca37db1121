//! What a client goes on sending when its answer is made already: it is not read, and the connection is closed.
//!
//! The framework closes by itself when a declared length was not read to its end. A body in chunks it would read on,
//! for as long as the client likes, once nobody holds it. So it is held here until the answer is out. A body that was
//! read whole leaves nothing to hold, and the connection is kept.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header;
use bytes::Bytes;
use futures_util::Stream;

/// A body in chunks, shared between the handler that reads it and the answer.
pub struct Unread(Rc<RefCell<Payload>>);

impl Stream for Unread {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

/// Takes hold of a body in chunks; what reads the request reads on as before.
pub fn hold(request: &mut ServiceRequest) -> Option<Unread> {
    request.headers().get(header::TRANSFER_ENCODING)?;
    let shared = Rc::new(RefCell::new(request.take_payload()));
    request.set_payload(Payload::Stream { payload: Box::pin(Unread(Rc::clone(&shared))) });
    Some(Unread(shared))
}

/// Lets go of it when the answer is out.
pub fn release_after<B: MessageBody + 'static>(
    unread: Unread,
    response: ServiceResponse<EitherBody<B, BoxBody>>,
) -> ServiceResponse<EitherBody<B, BoxBody>> {
    response.map_body(|_, body| EitherBody::right(BoxBody::new(Holding { body: Box::pin(body), _unread: unread })))
}

/// An answer's body that keeps something as long as it lasts.
struct Holding<B> {
    body: Pin<Box<B>>,
    _unread: Unread,
}

impl<B: MessageBody> MessageBody for Holding<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
        self.body.as_mut().poll_next(cx)
    }
}
