//! Listening, with bounds for whoever means no good.

use super::Desk;
use super::answer::answer;
use crate::config::AdminAddress;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at a time; further ones wait until one of these has ended.
const CONNECTIONS: usize = 32;

/// How long somebody may take to say what they want.
const HEADER: Duration = Duration::from_secs(5);

/// How long a connection may last, its one answer included.
const WHOLE: Duration = Duration::from_secs(10);

/// A longer head of a request is refused, in bytes; the least that the library takes.
const LONGEST_HEAD: usize = 8192;

/// So many lines of a head are looked at.
const MOST_HEADERS: usize = 32;

/// How long to wait when no connection can be taken, for want of files, say.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens, on a thread of its own. Where, as it is written.
///
/// # Errors
/// A sentence that says why not.
pub fn serve(address: &AdminAddress, desk: Desk) -> Result<String, String> {
    let failed = |error: io::Error| format!("{address}: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(failed)?;
    let listener = {
        let _within = runtime.enter();
        Listener::open(address).map_err(failed)?
    };
    let at = listener.shown();
    let thread = std::thread::Builder::new().name("admin".to_owned());
    thread
        .spawn(move || runtime.block_on(listener.listen(Arc::new(desk))))
        .map_err(failed)?;
    Ok(at)
}

enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener, super::unix::File),
}

impl Listener {
    fn open(address: &AdminAddress) -> io::Result<Self> {
        match address {
            AdminAddress::Tcp(address) => tcp(*address),
            #[cfg(unix)]
            AdminAddress::Unix(path) => {
                let (listener, file) = super::unix::listen(path)?;
                listener.set_nonblocking(true)?;
                let listener = tokio::net::UnixListener::from_std(listener)?;
                Ok(Listener::Unix(listener, file))
            }
            _ => Err(io::Error::other("not on this system")),
        }
    }

    fn shown(&self) -> String {
        match self {
            Listener::Tcp(listener) => listener
                .local_addr()
                .map_or_else(|_| String::new(), |address| format!("http://{address}")),
            #[cfg(unix)]
            Listener::Unix(_, file) => file.to_string(),
        }
    }

    async fn listen(self, desk: Arc<Desk>) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            // Closed it never is.
            let Ok(place) = room.clone().acquire_owned().await else {
                return;
            };
            let desk = desk.clone();
            let taken = match &self {
                Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    tokio::spawn(async move {
                        talk(stream, desk, true).await;
                        drop(place);
                    })
                }),
                #[cfg(unix)]
                Listener::Unix(listener, _) => listener.accept().await.map(|(stream, _)| {
                    tokio::spawn(async move {
                        talk(stream, desk, false).await;
                        drop(place);
                    })
                }),
            };
            if let Err(error) = taken {
                tracing::debug!(%error, "no connection could be taken for metrics and readiness");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn tcp(address: SocketAddr) -> io::Result<Listener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener).map(Listener::Tcp)
}

/// One question, one answer. `strict`: whoever asks must know that this is for this machine.
async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, desk: Arc<Desk>, strict: bool) {
    let respond = service_fn(|request| {
        let answered = answer(&desk, &request, strict);
        async move { Ok::<_, Infallible>(answered) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), respond);
    match tokio::time::timeout(WHOLE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a request for metrics or readiness broke off"),
        Err(_) => tracing::debug!("a request for metrics or readiness took too long"),
    }
}
