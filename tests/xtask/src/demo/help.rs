//! What the user can do while the demo stays up.

use super::stack::{QUEUE, Stack};

/// Addresses, logins, a message to send, and where the configuration lies.
pub fn text(stack: &Stack) -> String {
    let nicos = stack.nicos.address();
    let openwire = stack.broker.openwire();
    let stomp = stack.broker.stomp();
    let config = stack.gateway.config_path().display().to_string();
    let client = stack.client();
    let log = stack.gateway.log_path().display().to_string();
    format!(
        "
Everything stays up until you press Ctrl-C. To connect:
  JMS clients      tcp://{openwire} (no broker login), queue {QUEUE}, with a JMSReplyTo
  STOMP clients    {stomp}, destination /queue/{QUEUE}, with a reply-to
  log in with      {{\"command\":\"authenticate\",\"login\":\"ibex\",\"passwd\":\"any\",\"display\":\"\"}}
  then for example {{\"command\":\"queue\",\"name\":\"Mine\",\"code\":\"print('hello')\"}}
  or in neutral    {{\"op\":\"status\",\"args\":{{}}}}
  updates          topics {QUEUE}.events.log, {QUEUE}.events.job, {QUEUE}.events.state
  command line     {client}  (user user, password user)
  NICOS directly   {nicos}, logins guest, user/user, admin/admin
  configuration    {config}
  gateway's log    {log}"
    )
}
