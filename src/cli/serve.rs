//! Serving until told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::audit;
use crate::config::Settings;
use crate::kit::clock::Clock;
use crate::server;
use crate::store::Store;

use super::{Failure, say::say};

/// Serves. On SIGTERM or SIGINT every answer becomes the last on its connection, a second later no new connection is
/// taken, what is being answered is answered, then it ends.
pub async fn serve(settings: Settings, is_stopping: Arc<AtomicBool>) -> Result<(), Failure> {
    serve_and(settings, is_stopping, |_| ()).await
}

/// Serves, and tells `announce` how links are made as soon as they work. `is_stopping` is set when it is about to stop.
pub async fn serve_and(
    settings: Settings,
    is_stopping: Arc<AtomicBool>,
    announce: impl FnOnce(&dyn Fn(&str) -> String),
) -> Result<(), Failure> {
    let running = server::start(settings, Clock::system()).await?;
    // Before it says that it listens: who reads that may send a signal at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    say(format_args!("listening on http://{}", running.address));
    announce(&|path| running.app.link(path));
    tracing::info!(address = %running.address, public_url = running.app.public_url.as_str(), "serving");
    let (app, handle, listener) = (running.app.clone(), running.handle.clone(), running.listener);
    actix_web::rt::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        is_stopping.store(true, Ordering::Relaxed);
        server::stop(&app, &handle, listener).await;
    });
    let (database, store) = (running.app.settings.database.clone(), running.app.store.clone());
    running.server.await?;
    // What was done last gets its place in the log now and not at the next start.
    if let Err(error) = audit::seal(&store).await {
        tracing::warn!(%error, "the end of the audit log is sealed at the next start");
    }
    drop(store);
    if let Err(error) = Store::finish(&database) {
        tracing::warn!(%error, "the write-ahead log stays beside the database");
    }
    tracing::info!("stopped");
    Ok(())
}
