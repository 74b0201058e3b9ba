//! Where a frontend's clients get to, and who they are there.

use patchbay_abi::{Fault, FaultKind, Secret};
use patchbay_sdk::Role;
use sha2::{Digest, Sha256};

/// Where a frontend's clients get to, and as whom.
#[derive(Debug)]
pub struct Route {
    /// The backend's position among the seats, to begin with.
    pub backend: usize,
    /// Who says who clients are, also when requests go to another backend; only that one gets their secrets.
    pub authority: Authority,
    /// Nobody gets more than this through the frontend.
    pub ceiling: Role,
    /// What clients send → who they are; the first that fits.
    pub logins: Vec<LoginRule>,
    /// Whether logins that no rule fits go to the backend as they are.
    pub forward_unmapped: bool,
}

/// Who checks passwords and says what clients may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The backend that the route begins with.
    Backend,
    /// The host's own list of users.
    Users,
}

/// How a client proves who it is.
pub(super) enum Proof {
    /// By a secret, which the authority checks.
    Secret(Secret),
    /// It need not: a login rule has taken it for that.
    Rule,
}

/// What old clients send, and who they are.
#[derive(Debug)]
pub struct LoginRule {
    /// The name that the client sends.
    pub client_user: String,
    /// The SHA-256 of the password that it must send; any if `None`.
    pub client_secret_sha256: Option<[u8; 32]>,
    /// Who that is at the authority.
    pub user: String,
    /// Their password at the backend; the host's own list needs none.
    pub secret: Option<Secret>,
}

/// What a client has sent that a login rule fits.
pub(super) struct Sent {
    user: String,
    secret_sha256: [u8; 32],
}

impl Route {
    /// The seat of the backend that checks passwords, if one does.
    pub(super) fn checking_backend(&self) -> Option<usize> {
        (self.authority == Authority::Backend).then_some(self.backend)
    }

    /// What a client has sent, if a rule fits it.
    pub(super) fn sent(&self, user: &str, secret: &Secret) -> Option<Sent> {
        let sent = Sent {
            user: user.to_owned(),
            secret_sha256: Sha256::digest(secret.expose().as_bytes()).into(),
        };
        self.rule_of(&sent).is_some().then_some(sent)
    }

    /// The first rule that fits what a client has sent.
    pub(super) fn rule_of(&self, sent: &Sent) -> Option<&LoginRule> {
        self.logins.iter().find(|rule| {
            let sum = rule.client_secret_sha256;
            rule.client_user == sent.user && sum.is_none_or(|sum| sum == sent.secret_sha256)
        })
    }

    /// Who a client is at the authority, by what it sent.
    pub(super) fn principal(&self, user: &str, secret: Secret) -> Result<(String, Proof), Fault> {
        let sent: [u8; 32] = Sha256::digest(secret.expose().as_bytes()).into();
        let fits = |rule: &&LoginRule| {
            rule.client_user == user && rule.client_secret_sha256.is_none_or(|sum| sum == sent)
        };
        match self.logins.iter().find(fits) {
            Some(rule) => {
                let secret = rule.secret.clone();
                Ok((rule.user.clone(), secret.map_or(Proof::Rule, Proof::Secret)))
            }
            None if self.forward_unmapped => Ok((user.to_owned(), Proof::Secret(secret))),
            None => Err(Fault::new(
                FaultKind::Unauthorized,
                "wrong user name or password: this way in accepts only the logins that its \
                 configuration lists",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(forward_unmapped: bool) -> Route {
        let rule = LoginRule {
            client_user: "ibex".into(),
            client_secret_sha256: Some(Sha256::digest(b"constant").into()),
            user: "admin".into(),
            secret: Some(Secret::new("real")),
        };
        Route {
            backend: 0,
            authority: Authority::Backend,
            ceiling: Role::Admin,
            logins: vec![rule],
            forward_unmapped,
        }
    }

    fn shown(proof: &Proof) -> &str {
        match proof {
            Proof::Secret(secret) => secret.expose(),
            Proof::Rule => "",
        }
    }

    #[test]
    fn a_clients_constant_becomes_the_real_login_and_is_not_forwarded() {
        let (user, proof) = route(true)
            .principal("ibex", Secret::new("constant"))
            .unwrap();
        assert_eq!((user.as_str(), shown(&proof)), ("admin", "real"));
    }

    #[test]
    fn what_no_rule_fits_is_forwarded_or_refused() {
        let (user, proof) = route(true).principal("ibex", Secret::new("other")).unwrap();
        assert_eq!((user.as_str(), shown(&proof)), ("ibex", "other"));
        let refused = route(false).principal("ibex", Secret::new("other"));
        let Err(fault) = refused else {
            panic!("it is let in")
        };
        assert_eq!(fault.kind, FaultKind::Unauthorized);
    }
}
