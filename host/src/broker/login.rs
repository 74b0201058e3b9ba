//! How a client gets in, gets in again after its backend was restarted, and leaves.

use super::call::{check_role, no_session};
use super::pending::{Origin, Request, What};
use super::route::{Authority, Proof};
use super::session::{Applicant, Attachment, Session};
use super::trip::{End, Trip};
use super::{Broker, Place, State};
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Secret, head};
use patchbay_sdk::Role;
use std::time::Instant;

/// No user name, and no name of a client's place, is longer, in bytes.
const LONGEST_NAME: usize = 1024;

impl Broker {
    /// A frontend wants to log a client in.
    pub(super) fn login(&self, origin: Origin, message: Message) {
        let mut claimed = (String::new(), String::new());
        if let Err(fault) = self.read_login(origin, message, &mut claimed) {
            self.count("logins_refused");
            self.turned_away(origin, Trip::login(), &fault);
            self.note_refused_login(origin, &claimed.1, &fault);
            self.record_no_login(origin, &claimed.0, &claimed.1, &fault);
            self.refuse(origin, fault);
        }
    }

    /// Who it claims to be, and where, is `claimed` as soon as it is known.
    fn read_login(
        &self,
        origin: Origin,
        message: Message,
        claimed: &mut (String, String),
    ) -> Result<(), Fault> {
        self.check(&message)?;
        let mut head: head::Login = message.read_head().map_err(broken)?;
        if head.user.len() > LONGEST_NAME {
            let text = format!("a user name of more than {LONGEST_NAME} bytes");
            return Err(Fault::new(FaultKind::Invalid, text));
        }
        head.client
            .truncate(head.client.floor_char_boundary(LONGEST_NAME));
        *claimed = (head.user.clone(), head.client.clone());
        self.check_pace(origin, &head.client)?;
        let route = self.seats[origin.at.seat].route().ok_or_else(no_route)?;
        let sent = message
            .secret
            .into_option()
            .unwrap_or_else(|| Secret::new(""));
        let by = route.sent(&head.user, &sent);
        let (user, proof) = route.principal(&head.user, sent)?;
        let authority = route.checking_backend();
        let applicant = |secret| Applicant {
            frontend: origin.at,
            authority,
            user,
            secret,
            client: head.client,
            role: Role::View,
            sent: by,
        };
        match (route.authority, proof) {
            (Authority::Users, proof) => self.ask_users(origin, applicant(Secret::new("")), proof),
            // Whoever answers requests at present: this one says who clients are.
            (Authority::Backend, Proof::Secret(secret)) => {
                self.enter_login(origin, applicant(secret), route.backend)
            }
            (Authority::Backend, Proof::Rule) => Err(no_route()),
        }
    }

    /// Opens a session and logs it in at a backend.
    pub(super) fn enter_login(
        &self,
        origin: Origin,
        applicant: Applicant,
        backend: usize,
    ) -> Result<(), Fault> {
        let mut state = self.lock();
        // In which life is read under the lock, so that a life that is left has all its debts in the table.
        let (epoch, _) = self.seats[backend]
            .port()
            .ok_or_else(|| self.unavailable(backend))?;
        let seat = backend;
        let at = Place { seat, epoch };
        self.is_alive(origin)?;
        self.check_room_for_login(&state, origin.at.seat)?;
        let session = state.sessions.open(applicant, at);
        let (id, ask) = self
            .ask_for_login(&mut state, Some(origin), at, session)
            .ok_or_else(no_route)?;
        drop(state);
        if self.tap.is_watched() {
            self.show_request(origin, (id, session, "login"), at, &ask);
        }
        self.hand_over(id, at, ask);
        Ok(())
    }

    /// A life that is over gets no sessions: nobody would ever end them.
    pub(super) fn is_alive(&self, origin: Origin) -> Result<(), Fault> {
        let port = self.seats[origin.at.seat].port_in(origin.at.epoch);
        port.map(drop).ok_or_else(no_route)
    }

    /// Enters a login of `session` at the life `at` of its backend.
    pub(super) fn ask_for_login(
        &self,
        state: &mut State,
        origin: Option<Origin>,
        at: Place,
        session: u64,
    ) -> Option<(u64, Message)> {
        let id = state.pending.enter(Request {
            origin,
            backend: at,
            session,
            what: What::Login,
            deadline: Instant::now() + self.limits().login,
            trip: Trip::login().sent(),
        });
        let known = state.sessions.get_mut(session)?;
        let vouched = known.authority != Some(at.seat);
        Some((id, known.login_message(id, session, vouched)))
    }

    /// The backend has let a client in, or not.
    pub(super) fn login_answered(&self, request: Request, answer: Result<Message, Fault>) {
        self.show_answer(&request, &answer);
        self.ended(&request, End::of(&answer));
        let granted = answer.and_then(|reply| read_session(&reply).map(|granted| (granted, reply)));
        let known = match (granted, request.origin) {
            (Ok((granted, reply)), Some(origin)) => self.let_in(origin, &request, granted, reply),
            (Ok((granted, _)), None) => self.let_in_again(&request, &granted),
            (Err(fault), Some(origin)) => {
                let closed = self.lock().sessions.close(request.session);
                self.count("logins_refused");
                if let Some(Session { who, .. }) = closed {
                    self.note_refused_login(origin, &who.client, &fault);
                    self.record_no_login(origin, &who.user, &who.client, &fault);
                }
                self.refuse(origin, fault);
                true
            }
            (Err(fault), None) => {
                self.fail_parked(&request, &fault);
                true
            }
        };
        if !known {
            self.say_logout(request.backend, request.session);
        }
    }

    /// A first login succeeded. Whether the session is still wanted.
    fn let_in(
        &self,
        origin: Origin,
        request: &Request,
        granted: head::Session,
        reply: Message,
    ) -> bool {
        let attached = Attachment::Attached(request.backend);
        let Some((role, user, client)) = self.grant(request, &granted, Some(attached)) else {
            // The host itself has ended it meanwhile, or the frontend has, which takes no reply any more.
            self.refuse(origin, no_session());
            return false;
        };
        let frontend = self.seats[origin.at.seat].id();
        let session = request.session;
        tracing::info!(session, user, %role, client, frontend, "logged in");
        self.record_login(session, request.backend.seat);
        let role = role.as_str().to_owned();
        let granted = head::Session { session, role };
        let head = head::Reply {
            fault: None,
            session: Some(granted),
            ..head::Reply::default()
        };
        let welcome = Message {
            body: reply.body,
            ..Message::new(Kind::REPLY, 0, &head)
        };
        if !self.reply(origin, welcome) {
            self.end_session(session);
        }
        true
    }

    /// A session is known to its backend again, perhaps with another role: what waited for that
    /// goes on its way. It counts as attached only once nothing waits, so that nobody overtakes.
    /// Whether the session is still wanted.
    fn let_in_again(&self, request: &Request, granted: &head::Session) -> bool {
        let Some((role, ..)) = self.grant(request, granted, None) else {
            return false;
        };
        if let Some(session) = self.lock().sessions.get_mut(request.session) {
            session.is_known_at(request.backend);
        }
        tracing::info!(session = request.session, %role, "logged in again");
        while let Some(waiting) = self.take_parked(request) {
            for (id, message) in waiting {
                match message {
                    Ok(message) => self.hand_over(id, request.backend, message),
                    Err(fault) => _ = self.settle(id, Err(fault)),
                }
            }
        }
        true
    }

    /// Notes what a session may do from now on: what the backend says, within the ceiling of its
    /// frontend. `None` if there is no such session any more.
    fn grant(
        &self,
        request: &Request,
        granted: &head::Session,
        attachment: Option<Attachment>,
    ) -> Option<(Role, String, String)> {
        let mut state = self.lock();
        let session = state.sessions.get_mut(request.session)?;
        let route = self.seats[session.frontend.seat].route();
        let ceiling = route.map_or(Role::View, |route| route.ceiling);
        // What another backend says of somebody whom it does not know is worth nothing.
        if session.authority == Some(request.backend.seat) {
            session.role = Role::from_name(&granted.role)
                .unwrap_or(Role::View)
                .min(ceiling);
        }
        if let Some(attachment) = attachment {
            session.attachment = attachment;
        }
        session.let_in_by = Some(request.backend.seat);
        Some((session.role, session.user.clone(), session.client.clone()))
    }

    /// What waits for a session that is being logged in, in order; each checked against the role
    /// that the session has now.
    fn take_parked(&self, request: &Request) -> Option<Vec<(u64, Result<Message, Fault>)>> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let session = state.sessions.get_mut(request.session)?;
        let Attachment::Attaching(at, waiting) = &mut session.attachment else {
            return None;
        };
        if *at != request.backend {
            return None;
        }
        let waiting = std::mem::take(waiting);
        if waiting.is_empty() {
            session.attachment = Attachment::Attached(request.backend);
            return None;
        }
        let role = session.role;
        let message = |id| {
            let (op, message) = state.pending.unpark(id, request.backend)?;
            Some((id, check_role(role, op).map(|()| message)))
        };
        Some(waiting.into_iter().filter_map(message).collect())
    }

    fn fail_parked(&self, request: &Request, fault: &Fault) {
        let fault_said = fault.message.as_str();
        tracing::warn!(
            session = request.session,
            fault = fault_said,
            "could not be logged in again"
        );
        let waiting = {
            let mut state = self.lock();
            let Some(session) = state.sessions.get_mut(request.session) else {
                return;
            };
            match std::mem::replace(&mut session.attachment, Attachment::Detached) {
                Attachment::Attaching(at, waiting) if at == request.backend => {
                    if matches!(fault.kind, FaultKind::Unauthorized | FaultKind::Forbidden) {
                        session.let_in_by = None;
                    }
                    waiting
                }
                other => {
                    session.attachment = other;
                    return;
                }
            }
        };
        for id in waiting {
            self.settle(id, Err(fault.clone()));
        }
    }

    /// A client has left.
    pub(super) fn logout(&self, frontend: Place, message: &Message) {
        let Ok(head::Logout { session }) = message.read_head() else {
            return;
        };
        if self.lock().sessions.of(frontend, session).is_some() {
            self.end_session(session);
        }
    }

    /// A frontend's life is over, and with it its clients' sessions; their scripts go on.
    pub(super) fn end_sessions_of(&self, frontend: Place) {
        let ids = self.lock().sessions.ids_of(frontend);
        ids.into_iter().for_each(|id| self.end_session(id));
    }

    pub(super) fn end_session(&self, id: u64) {
        let closed = self.lock().sessions.close(id);
        let Some(session) = closed else { return };
        tracing::info!(session = id, user = session.user, "logged out");
        self.end_control(|_, holder| holder.session == id);
        for at in session.known_at() {
            self.say_logout(at, id);
        }
    }

    pub(super) fn say_logout(&self, at: Place, session: u64) {
        if let Some(port) = self.seats[at.seat].port_in(at.epoch) {
            port.deliver(Message::new(Kind::LOGOUT, 0, &head::Logout { session }));
        }
    }

    /// Gives a request that has been entered to the backend, or settles it at once.
    pub(super) fn hand_over(&self, id: u64, at: Place, message: Message) {
        let port = self.seats[at.seat].port_in(at.epoch);
        let delivered = port.map(|port| port.deliver(message));
        if delivered != Some(Delivery::Taken) {
            self.settle(id, Err(self.unavailable(at.seat)));
        }
    }
}

fn read_session(reply: &Message) -> Result<head::Session, Fault> {
    let head: head::Reply = reply.read_head().map_err(broken)?;
    head.session.ok_or_else(|| {
        Fault::new(
            FaultKind::Internal,
            "the backend answered a login without a session",
        )
    })
}

pub(super) fn broken(error: serde_json::Error) -> Fault {
    Fault::new(
        FaultKind::Internal,
        format!("a plugin sent a message that cannot be read: {error}"),
    )
}

pub(super) fn no_route() -> Fault {
    Fault::new(FaultKind::Internal, "this frontend has no route")
}
