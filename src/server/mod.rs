//! Floor 5: puts the parts together. One route table, the order of what surrounds a request, starting and stopping.

mod cors;
mod guard;
mod operating;
mod routes;

use std::net::{Shutdown, SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_service::map_config;
use actix_web::dev::{AppConfig, Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::web;
use socket2::{Domain, SockRef, Socket, Type};

use crate::app::{App, AppError};
use crate::config::{PublicUrl, Settings};
use crate::http::body::path_config;
use crate::http::boundary::boundary;
use crate::http::problem::Problem;
use crate::jobs;
use crate::kit::clock::Clock;
use crate::store::{MigrateError, Store, StoreError, migrate};

pub use cors::cors;

/// The most connections at a time. One whose client reads nothing costs about 40 KiB of memory, at worst about 100.
const MOST_CONNECTIONS: usize = 10_000;
/// How many connections may wait to be taken; the kernel has a limit of its own (`net.core.somaxconn`, 4,096 by default).
const WAITING_CONNECTIONS: i32 = 4_096;
/// File descriptors kept for everything that is no connection of a client: databases, mail, files, the runtime.
const OTHER_DESCRIPTORS: usize = 256;
/// How long, when the server is about to stop, it goes on answering and tells every client that this was the last answer
/// on its connection. Without it, what clients have sent and nobody has read yet would be lost.
const LAST_ORDERS: Duration = Duration::from_secs(1);
/// How long the last connections that were taken have for their request.
const LAST_CONNECTIONS: Duration = Duration::from_millis(300);
/// How long requests that are being answered after that may take, in seconds.
const STOP_WITHIN_S: u64 = 7;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the address to listen on cannot be read back")]
    Address(#[from] std::io::Error),
}

/// A server that answers, until its handle stops it.
pub struct Running {
    pub address: SocketAddr,
    pub app: web::Data<App>,
    pub handle: ServerHandle,
    pub server: Server,
    /// A second handle of the listener, by which it is closed.
    pub listener: TcpListener,
}

/// Migrates, opens the database and begins to listen.
///
/// # Errors
/// When the database is not there or not ours, or the address is taken.
pub async fn start(settings: Settings, clock: Clock) -> Result<Running, StartError> {
    let listener = listen(settings.listen).map_err(|source| StartError::Listen { address: settings.listen, source })?;
    let address = listener.local_addr()?;
    for name in migrate(&settings.database)? {
        tracing::info!(migration = name, "migrated");
    }
    let mut store = Store::open(&settings.database)?;
    if let Some(replica) = &settings.replica {
        store = store.with_replica(&settings.database, replica)?;
    }
    let public_url = settings.public_url.clone().unwrap_or_else(|| PublicUrl::of_address(address));
    let app = web::Data::new(App::new(settings, public_url, store, clock).await?);
    jobs::start(&app);
    let server = serve(listener.try_clone()?, app.clone())?;
    Ok(Running { address, app, handle: server.handle(), server, listener })
}

/// Begins to listen, with room for a crowd that comes at once: whoever finds none (the standard library makes it for 128)
/// tries again only after a second.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(WAITING_CONNECTIONS)?;
    Ok(socket.into())
}

/// Stops a server: last orders, then no new connection, then what is being answered is answered.
pub async fn stop(app: &App, handle: &ServerHandle, listener: TcpListener) {
    app.is_stopping.store(true, Ordering::Relaxed);
    actix_web::rt::time::sleep(LAST_ORDERS).await;
    // The listener is closed before the framework stops: it drops connections that it has taken and not begun to read.
    let _ = SockRef::from(&listener).shutdown(Shutdown::Both);
    actix_web::rt::time::sleep(LAST_CONNECTIONS).await;
    handle.stop(true).await;
}

fn serve(listener: TcpListener, app: web::Data<App>) -> Result<Server, std::io::Error> {
    let make = move || {
        actix_web::App::new()
            .app_data(app.clone())
            .app_data(path_config())
            .configure(|config| routes::table().serve(config))
            .default_service(web::to(|| async { Err::<&str, _>(Problem::not_found()) }))
            .wrap(from_fn(cors))
            .wrap(from_fn(boundary))
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let builder = Server::build();
    let stopping = builder.graceful_shutdown_signal();
    Ok(builder
        .workers(workers)
        .max_concurrent_connections((most_connections() / workers).max(1))
        .shutdown_timeout(STOP_WITHIN_S)
        .disable_signals()
        .listen("http", listener, move || {
            let stopping = stopping.clone();
            let stopping = move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            };
            // What the framework would know by its configuration we take from ours.
            guard::guarded(map_config(make(), |()| AppConfig::default()), stopping)
        })?
        .run())
}

/// As many connections as there are descriptors for: past that nobody could be let in, and no file be opened.
fn most_connections() -> usize {
    // Most systems start programs with 1,024 and let them have more. What cannot be raised or read stays as it is.
    let descriptors =
        rlimit::increase_nofile_limit(u64::MAX).map_or(1024, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    descriptors.saturating_sub(OTHER_DESCRIPTORS).clamp(1, MOST_CONNECTIONS)
}
