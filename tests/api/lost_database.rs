//! A database that is lost for a while: honest answers while it is, and healing by itself.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::database::TestDatabase;
use crate::support::server::TestApp;
use crate::support::{Setup, form, postgres_url};

/// A way to the PostgreSQL server that can be cut.
struct Line {
    url: String,
    is_cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn to(server: &str) -> Self {
        let mut url = url::Url::parse(server).unwrap();
        let target = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let line = Self { url: url.into(), is_cut: Arc::default(), open: Arc::default() };
        let (is_cut, open) = (Arc::clone(&line.is_cut), Arc::clone(&line.open));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let far = TcpStream::connect((target.0.as_str(), target.1)).unwrap();
                open.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                let (near_again, far_again) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                std::thread::spawn(move || carry(near, far));
                std::thread::spawn(move || carry(far_again, near_again));
            }
        });
        line
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_lost_database_is_a_503_with_retry_after_and_heals_without_a_restart() {
    let Some(server) = postgres_url() else { return };
    let line = Line::to(&server);
    actix_web::rt::System::new().block_on(async {
        let app = TestApp::start(&Setup::default(), TestDatabase::postgres(line.url.clone())).await;
        let article = app.article("a").await;
        let list = format!("{article}/comments?view=flat");
        app.get(&list).await.expect(200);

        line.cut();
        for count in 0..20 {
            let answer = app.post(&article, &form(&format!("into the void {count}"))).await;
            assert_eq!(answer.header("retry-after"), Some("2"));
            answer.expect_problem(503, "unavailable");
        }
        app.get("/api/v1/comments/1").await.expect_problem(503, "unavailable");
        app.get("/readyz").await.expect_problem(503, "unavailable");
        app.get("/healthz").await.expect(200);

        line.mend();
        app.post(&article, &form("heard again")).await.expect(202);
        app.get("/readyz").await.expect(200);
        app.get(&list).await.expect(200);
    });
}
