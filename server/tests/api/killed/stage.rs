//! Where news can be on its way.

use super::mailbox::At;

/// Where a process is when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A connection broke; no rule has looked.
    Touched,
    /// An alert fires, and has to be told.
    Fired,
    /// A group has changed, and collects.
    Collecting,
    /// A message is there, and nobody sends it.
    Pending,
    /// The channel has the request, and has not answered.
    Sending(&'static str),
    /// The mail server has heard this much of a mail of the channel, and says nothing.
    Handing(At, &'static str),
    /// The mail server has taken a mail of the channel, and has not said so.
    Taken(&'static str),
    /// The channel has answered, and that is not committed.
    Answered(&'static str),
    /// It failed, and waits to be tried again.
    BackOff(&'static str),
}

impl Stage {
    /// By which channel, if it is one alone.
    pub fn channel(self) -> Option<&'static str> {
        match self {
            Self::Sending(channel)
            | Self::Taken(channel)
            | Self::Handing(_, channel)
            | Self::Answered(channel)
            | Self::BackOff(channel) => Some(channel),
            Self::Touched | Self::Fired | Self::Collecting | Self::Pending => None,
        }
    }

    /// Whether the other side holds it there.
    pub fn is_held(self) -> bool {
        matches!(self, Self::Sending(_) | Self::Handing(..) | Self::Taken(_) | Self::Answered(_))
    }

    /// What there is when the news of a connection is at this stage; $1 is its key.
    pub fn is_reached(self) -> &'static str {
        match self {
            Self::Touched => {
                "select count(*) from alert_touch t join connection c on c.id = t.connection_id where c.key = $1"
            }
            Self::Fired => {
                "select count(*) from alert a join connection c on c.id::text = a.subject_id \
                 where a.tell_due_at is not null and a.state = 'firing' and c.key = $1"
            }
            Self::Collecting => {
                "select count(*) from alert_group g join alert a on a.id = any(g.alerts) \
                 join connection c on c.id::text = a.subject_id \
                 where g.changed_at is not null and g.messages > 0 and g.due_at > now() and a.state = 'resolved' and c.key = $1"
            }
            Self::Pending => {
                "select count(*) from notification n join alert a on a.id = any(n.alert_ids) \
                 join connection c on c.id::text = a.subject_id where n.state = 'pending' and n.attempts = '[]' and c.key = $1"
            }
            Self::Sending(_) | Self::Handing(..) | Self::Taken(_) | Self::Answered(_) => {
                "select count(*) from notification n join alert a on a.id = any(n.alert_ids) \
                 join connection c on c.id::text = a.subject_id where n.state = 'sending' and c.key = $1"
            }
            Self::BackOff(_) => {
                "select count(*) from notification n join alert a on a.id = any(n.alert_ids) \
                 join connection c on c.id::text = a.subject_id \
                 where n.state = 'pending' and n.due_at > now() and c.key = $1 and (n.attempts @> '[{\"status\": 503}]' \
                   or n.attempts @> '[{\"status\": null, \"error\": {\"class\": \"answer\"}}]')"
            }
        }
    }
}
