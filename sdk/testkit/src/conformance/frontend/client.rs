//! A client's view of a frontend: what a test says of its protocol.

use serde_json::Value;
use std::future::Future;

/// What a client is told: the answer, or why there is none, in the words that it gets.
pub type Told = Result<Value, String>;

/// How clients of a frontend reach it.
pub trait Protocol: Send + Sync + 'static {
    /// One of them.
    type Client: Client;

    /// A client that is connected, and has not said who it is.
    ///
    /// # Errors
    /// Why it does not reach the frontend.
    fn connect(&self) -> impl Future<Output = Result<Self::Client, String>>;
}

/// One client, in the frontend's protocol. When it is dropped, it is gone without a word.
///
/// The errors of its methods are those of the connection: that it was cut, or that something came which is none of the
/// protocol. Waits need no bound of their own.
pub trait Client: 'static {
    /// Says who it is, and waits for the answer.
    ///
    /// # Errors
    /// If the connection ends.
    fn login(&mut self, user: &str, password: &str) -> impl Future<Output = Result<Told, String>>;

    /// Asks for a neutral operation, by a number of the client's own, and does not wait for the answer.
    ///
    /// # Errors
    /// If the connection ends.
    fn send(
        &mut self,
        tag: u64,
        op: &str,
        args: &Value,
    ) -> impl Future<Output = Result<(), String>>;

    /// The next answer, and to which of its requests; events that come before it are kept for [`Client::event`].
    ///
    /// # Errors
    /// If the connection ends.
    fn answer(&mut self) -> impl Future<Output = Result<(u64, Told), String>>;

    /// Wants events from now on; waits until it is certain to get them. `false` if the protocol has none.
    ///
    /// # Errors
    /// If the connection ends.
    fn subscribe(&mut self) -> impl Future<Output = Result<bool, String>>;

    /// The body of the next event.
    ///
    /// # Errors
    /// If the connection ends.
    fn event(&mut self) -> impl Future<Output = Result<Value, String>>;

    /// Sends what is no request in this protocol, as somebody would who speaks another one. `false` if there is no such thing.
    ///
    /// # Errors
    /// If the connection ends.
    fn babble(&mut self) -> impl Future<Output = Result<bool, String>>;
}
