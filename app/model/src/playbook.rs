//! What to do about each cause: what happened in plain words, who must act, the next step, and what to quote to Makini.
//! For support staff; the one place where this is said.

use crate::words::words;
use crate::{Cause, CauseActor};

words! {
    /// The next step, as the button that does it.
    Step {
        /// Make a link with which the customer connects again.
        Reconnect = "reconnect", "Make a reconnect link";
        /// Ask upstream now.
        Check = "check", "Check now";
        /// Start a sync.
        Sync = "sync", "Sync now";
        /// Say what an unknown status means.
        MapStatus = "map_status", "Map the status";
        /// See what Linewatch cannot see.
        OpenSystem = "open_system", "Open System";
        /// Nothing, for now.
        Wait = "wait", "Wait";
        /// Quote the facts to Makini's support.
        AskMakini = "ask_makini", "Copy for Makini’s support";
    }
}

/// What to do about a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Play {
    /// What happened, in a sentence or two, without a technical word.
    pub happened: &'static str,
    /// Who must act.
    pub actor: CauseActor,
    /// The next step, as a button.
    pub step: Step,
    /// The same as an instruction.
    pub instruction: &'static str,
    /// When Makini's support is to be asked, and for what.
    pub ask_makini: &'static str,
}

impl Cause {
    /// What to do about it.
    pub const fn play(self) -> Play {
        use CauseActor::{Customer, Nobody, Us};
        match self {
            Self::CredentialsChanged => Play {
                happened: "The system refuses the password or key that the customer once gave. Nothing can be read until somebody with \
                           access connects again.",
                actor: Customer,
                step: Step::Reconnect,
                instruction: "Ask the customer to connect again through Makini Link with the new password. It takes a few minutes.",
                ask_makini: "If the customer has connected again and it is still refused, ask what the system answers.",
            },
            Self::PermissionMissing => Play {
                happened: "Signing in works, but the account that is used may not read what is asked for.",
                actor: Customer,
                step: Step::Check,
                instruction: "Ask the customer's administrator to give the integration user the permission named below, then check.",
                ask_makini: "If the permission has been given and it is still refused, ask which permission is missing.",
            },
            Self::Revoked => Play {
                happened: "Somebody took our access away, at the customer or in Makini. That may have been meant.",
                actor: Customer,
                step: Step::Reconnect,
                instruction: "Ask the customer whether this was meant, and to connect again if it was not.",
                ask_makini: "If nobody at the customer did it, ask who disconnected it, and when.",
            },
            Self::PlatformUnreachable => Play {
                happened: "The customer's system does not answer Makini: it is down, being worked on, or cut off from the network.",
                actor: Nobody,
                step: Step::Wait,
                instruction: "Nothing has to be done yet: Makini keeps trying. If it lasts over an hour, ask the customer whether their \
                              system is down.",
                ask_makini: "If the customer says that their system is up, ask from which addresses Makini tries to reach it.",
            },
            Self::SyncError => Play {
                happened: "Signing in works and the system answers, but the last sync ended with an error. What it would have brought is missing \
                           until one succeeds.",
                actor: Us,
                step: Step::AskMakini,
                instruction: "Wait for the next sync, or start one. If it fails again, quote the error below to Makini's support.",
                ask_makini: "Quote the error, its request id and the key, and ask what has to change for the next sync to succeed.",
            },
            Self::SlowSync => Play {
                happened: "A sync is under way and takes far longer than it usually does. Data arrives late, but nothing has failed.",
                actor: Nobody,
                step: Step::Wait,
                instruction: "Wait. Long first syncs and full syncs are normal after a change.",
                ask_makini: "If it is still running tomorrow, ask how far it has come.",
            },
            Self::Late => Play {
                happened: "No sync has succeeded for longer than this connection usually needs, and none has failed: none seems to have run.",
                actor: Us,
                step: Step::Sync,
                instruction: "Start a sync. If none runs, ask Makini's support why no sync has run, quoting the connection's key.",
                ask_makini: "Quote the key and the time of the last good sync, and ask why none has run since.",
            },
            Self::Silent => Play {
                happened: "Webhooks that normally come about this connection have stopped, although polling still finds it connected and other \
                           webhooks of its source arrive. What its data does is seen late, or not at all.",
                actor: Us,
                step: Step::AskMakini,
                instruction: "Look in the Makini dashboard whether webhooks are still chosen for this connection, and whether some of them \
                              failed. If all is as it was, quote the facts below to Makini's support.",
                ask_makini: "Quote the key and when the last webhook came, and ask whether any have been sent for it since, and with what answer.",
            },
            Self::Flapping => Play {
                happened: "It goes down, comes back, and goes down again: usually a system under load, or a network that comes and goes.",
                actor: Nobody,
                step: Step::Wait,
                instruction: "Nothing has to be done at once. Ask the customer whether their system or the way to it is being worked on; it \
                              is watched, and stands as one problem until it has been calm for ten minutes.",
                ask_makini: "If the customer sees nothing unusual, ask which of Makini's requests fail, and with what answer.",
            },
            Self::NoProof => Play {
                happened: "Linewatch has not been able to look at it for a while. It may be well or not: nobody knows.",
                actor: Us,
                step: Step::OpenSystem,
                instruction: "See System for what Linewatch cannot reach; the state is not known until it can.",
                ask_makini: "Only if System names Makini as what cannot be reached.",
            },
            Self::UnknownStatus => Play {
                happened: "Makini says something about it that Linewatch has never heard of, so it cannot say whether that is good or bad.",
                actor: Us,
                step: Step::MapStatus,
                instruction: "Map the status in the settings of the source, so that Linewatch can judge it.",
                ask_makini: "If nobody knows what the status means, quote it and ask.",
            },
            Self::NoCredits => Play {
                happened: "Makini has stopped it because the account has too few credits. Nothing is wrong at the customer.",
                actor: Us,
                step: Step::Check,
                instruction: "Reactivate the connection in the Makini dashboard, or free credits; then check.",
                ask_makini: "If there are credits and it stays inactive, ask why.",
            },
            Self::NotConnectedYet => Play {
                happened: "The customer has been invited to connect, and has not finished.",
                actor: Customer,
                step: Step::Reconnect,
                instruction: "The customer has a link but has not finished it. Remind them, with a new link if theirs is too old.",
                ask_makini: "If the customer has tried and could not finish, ask where it ended.",
            },
            Self::ReadingHistory => Play {
                happened: "It has just been connected, and its history is being read. That is as it should be.",
                actor: Nobody,
                step: Step::Wait,
                instruction: "Wait: the first sync reads 30 to 90 days of history and takes minutes to hours.",
                ask_makini: "If it is still reading after a day, ask how far it has come.",
            },
        }
    }

    /// Who must act on it.
    pub const fn actor(self) -> CauseActor {
        self.play().actor
    }

    /// The next step, as an instruction to support staff.
    pub const fn next_step(self) -> &'static str {
        self.play().instruction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_play_is_written_out_in_sentences() {
        for cause in Cause::ALL {
            let play = cause.play();
            for text in [play.happened, play.instruction, play.ask_makini] {
                assert!(text.ends_with('.') && text.len() > 20, "{cause}: {text}");
            }
        }
    }

    #[test]
    fn a_button_fits_who_must_act() {
        for cause in Cause::ALL {
            let Play { actor, step, .. } = cause.play();
            assert_eq!(step == Step::Wait, actor == CauseActor::Nobody, "{cause}: who waits need not act");
            assert!(step != Step::Reconnect || actor == CauseActor::Customer, "{cause}: only the customer reconnects");
        }
        for step in Step::ALL {
            assert!(Cause::ALL.iter().any(|cause| cause.play().step == *step), "{step} is nobody's next step");
        }
    }
}
