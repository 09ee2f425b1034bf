//! The two ways in: a Unix socket, whose file mode says who may do anything, and TCP, where changes need a token.

use axum::Router;
use axum::http::Request;
use core::fmt;
use core::future::Future;
use core::net::SocketAddr;
use core::pin::pin;
use core::time::Duration;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Connections of one way in at once; more wait until one ends.
pub const MAX_CONNECTIONS: usize = 256;
/// Who may use the socket: its owner and group.
const SOCKET_MODE: u32 = 0o660;
const BACKLOG: i32 = 128;
/// How long a client may take to send the head of its next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// After this a connection gets no further request, so that a client that hangs does not keep its place for ever.
const MAX_AGE: Duration = Duration::from_secs(300);
/// How long its last request may take then.
const LAST_ANSWER: Duration = Duration::from_secs(60);
/// How long requests under way may still take when the daemon stops.
const GRACE: Duration = Duration::from_secs(2);
/// Pause when the system gives no more connections, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Who is talking.
#[derive(Clone, Copy, Debug)]
pub(super) enum Caller {
    /// A process of this machine, with this user id, that the socket's file mode lets in.
    Local { uid: Option<u32> },
    /// Anybody.
    Network,
}

/// Both ways in, taken but not served yet.
#[derive(Debug)]
pub struct Doors {
    unix: UnixListener,
    file: SocketFile,
    tcp: Option<std::net::TcpListener>,
}

/// Why a way in can't be taken, and what to do.
#[derive(Debug)]
pub struct BindError {
    what: String,
    /// The kind of the system's error.
    pub kind: ErrorKind,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl core::error::Error for BindError {}

/// Takes the Unix socket, and the TCP address if there is one.
///
/// # Errors
/// If another daemon has one of them, or the system refuses.
pub fn bind(listen: Option<SocketAddr>, socket: &Path) -> Result<Doors, BindError> {
    let tcp = listen.map(bind_tcp).transpose()?;
    let (unix, file) = bind_unix(socket)?;
    Ok(Doors { unix, file, tcp })
}

fn bind_tcp(address: SocketAddr) -> Result<std::net::TcpListener, BindError> {
    let open = || {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    open().map_err(|e: io::Error| BindError {
        what: if e.kind() == ErrorKind::AddrInUse {
            format!("{address} is in use: stop the other daemon, or set [http] listen to another address")
        } else {
            format!("cannot listen on {address}: {e}; set [http] listen to another address")
        },
        kind: e.kind(),
    })
}

fn bind_unix(path: &Path) -> Result<(UnixListener, SocketFile), BindError> {
    let refused = |kind, why: &str| BindError {
        what: format!("cannot listen on {}: {why}; set [http] socket to another path", path.display()),
        kind,
    };
    match fs::symlink_metadata(path) {
        Ok(file) if !file.file_type().is_socket() => {
            return Err(refused(ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        // Nobody answers at the socket of a dead daemon; it is replaced.
        Ok(_) if UnixStream::connect(path).is_ok() => {
            let what = format!("a daemon answers on {} already: stop it first", path.display());
            return Err(BindError { what, kind: ErrorKind::AddrInUse });
        }
        Ok(_) | Err(_) => {}
    }
    listen_at(path).map_err(|e| refused(e.kind(), &e.to_string()))
}

/// Makes the socket under another name and moves it into place: it is never there half made.
fn listen_at(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    if let Err(e) = fs::remove_file(&draft)
        && e.kind() != ErrorKind::NotFound
    {
        return Err(e);
    }
    let file = File::from(OwnedFd::from(Socket::new(Domain::UNIX, Type::STREAM, None)?));
    // Before it has a name, so that nobody else gets in meanwhile; again after, for a umask may take from it.
    file.set_permissions(Permissions::from_mode(SOCKET_MODE))?;
    let socket = Socket::from(OwnedFd::from(file));
    socket.bind(&SockAddr::unix(&draft)?)?;
    fs::set_permissions(&draft, Permissions::from_mode(SOCKET_MODE))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let inode = fs::symlink_metadata(&draft)?.ino();
    fs::rename(&draft, path)?;
    Ok((UnixListener::from(OwnedFd::from(socket)), SocketFile { path: path.to_owned(), inode }))
}

/// The socket's file; removed with this, if it is still the same.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode)
            && let Err(e) = fs::remove_file(&self.path)
        {
            tracing::warn!("cannot remove {}: {e}", self.path.display());
        }
    }
}

impl Doors {
    /// The TCP address, with the port that the system chose if it was 0.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref()?.local_addr().ok()
    }

    /// Lets callers in to `app` until `stop` turns true. Must be called within a tokio runtime.
    pub(super) fn open(self, app: Router, stop: watch::Receiver<bool>) -> io::Result<impl Future<Output = ()>> {
        let unix = tokio::net::UnixListener::from_std(self.unix)?;
        let tcp = self.tcp.map(tokio::net::TcpListener::from_std).transpose()?;
        let (app2, stop2) = (app.clone(), stop.clone());
        Ok(async move {
            let network = async {
                if let Some(tcp) = tcp {
                    admit(tcp, app2, stop2).await;
                }
            };
            tokio::join!(admit(unix, app, stop), network);
            drop(self.file);
        })
    }
}

/// Where connections come from.
trait Listen: Send + Sync {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Caller)>> + Send;
}

impl Listen for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;
    async fn accept(&self) -> io::Result<(Self::Stream, Caller)> {
        let (stream, _) = self.accept().await?;
        let uid = stream.peer_cred().ok().map(|peer| peer.uid());
        Ok((stream, Caller::Local { uid }))
    }
}

impl Listen for tokio::net::TcpListener {
    type Stream = tokio::net::TcpStream;
    async fn accept(&self) -> io::Result<(Self::Stream, Caller)> {
        let (stream, _) = self.accept().await?;
        // Answers without it are late, not lost.
        drop(stream.set_nodelay(true));
        Ok((stream, Caller::Network))
    }
}

async fn admit<L: Listen>(listener: L, app: Router, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let full = connections.len() >= MAX_CONNECTIONS;
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if !full => match accepted {
                Ok((stream, caller)) => {
                    connections.spawn(converse(stream, caller, app.clone(), stop.clone()));
                }
                Err(e) => {
                    tracing::warn!("cannot take a connection: {e}");
                    sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn converse<S>(stream: S, caller: Caller, app: Router, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(caller);
        app.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stopped(&mut stop) => None,
        () = sleep(MAX_AGE) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = last_call(&mut stop) => return,
            }
        }
    };
    if let Err(e) = ended {
        // Clients come and go as they like.
        tracing::debug!("a connection ended early: {e}");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody is left to stop us: the daemon ends.
    drop(stop.wait_for(|&stops| stops).await);
}

async fn last_call(stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = sleep(LAST_ANSWER) => {}
        () = stopped(stop) => sleep(GRACE).await,
    }
}
