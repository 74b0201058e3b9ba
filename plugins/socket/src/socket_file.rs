//! A Unix socket: who may connect is what its file's mode says, from the first moment on.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{UnixListener, UnixStream};

/// Clients that wait to be let in.
const BACKLOG: i32 = 1_024;

/// A socket file that is listened on. The file goes when this does.
pub struct SocketFile {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode, by which it is told from a file that somebody else has put there since.
    identity: (u64, u64),
}

impl SocketFile {
    /// Makes the file and listens. An old socket file on which nobody listens is replaced.
    ///
    /// Between binding, which makes the file, and listening every attempt to connect is refused: so the mode is set in
    /// between, and there is no moment at which somebody gets in whom it keeps out. (The process's umask belongs to the host.)
    ///
    /// # Errors
    /// What is wrong with the path; `AddrInUse` if somebody listens there.
    pub async fn listen(path: &Path, mode: u32) -> io::Result<Self> {
        clear(path).await?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        let identity = identity(path)?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        let path = path.to_owned();
        Ok(SocketFile {
            listener: UnixListener::from_std(socket.into())?,
            path,
            identity,
        })
    }

    /// The next client, and who it is.
    ///
    /// # Errors
    /// When none can be taken at present.
    pub async fn accept(&self) -> io::Result<(String, UnixStream)> {
        let (stream, _) = self.listener.accept().await?;
        let who = stream
            .peer_cred()
            .map(|who| (who.uid(), who.pid().unwrap_or(0)));
        let name = match who {
            Ok((user, process)) => format!("unix socket, user {user}, process {process}"),
            Err(_) => "unix socket".to_owned(),
        };
        Ok((name, stream))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Makes room for a socket file; nothing but a socket that nobody listens on is removed.
async fn clear(path: &Path) -> io::Result<()> {
    let file = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    if !file.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "the file is there, and is no socket",
        ));
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "somebody listens on it",
        )),
    }
}
