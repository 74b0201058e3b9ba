//! Opening, closing and resetting the environment by hand.

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::model::args::{Do, Environment};
use patchbay_sdk::{Command, Fault, FaultKind, Reply};

use super::Scene;
use crate::environment::{close, destroy, open_and_load};
use crate::observer::drop_all;

/// So long the observer may take to see what has been done; the request itself has succeeded then.
const SEEN: Duration = Duration::from_secs(5);

pub(super) async fn environment(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Environment { r#do: what } = command.args()?;
    let server = Arc::clone(scene.server);
    let task = tokio::spawn(async move {
        match what {
            Do::Open => open_and_load(&server, true).await,
            Do::Close => close(&server).await,
            Do::Reset => {
                // What was running is put back by the server, and removed; nothing runs by itself after that.
                server.jobs().set_going(false);
                let exists = crate::environment::look(&server)
                    .await?
                    .worker_environment_exists;
                if exists {
                    destroy(&server).await?;
                }
                if server.config.on_abort == crate::config::Then::Drop {
                    drop_all(&server).await;
                }
                open_and_load(&server, true).await
            }
        }
    });
    task.await.unwrap_or_else(|_| {
        let message = "the gateway failed at this request, see its log";
        Err(Fault::new(FaultKind::Internal, message))
    })?;
    // Whoever has changed it sees it changed.
    scene.server.looked(SEEN).await;
    Ok(Reply::null())
}
