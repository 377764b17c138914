//! What a person can do with a connection, each a form that works without wasm: check, sync, make a reconnect link.

use super::post::Post;
use crate::{
    asking::{Got, Latest, may},
    calls::{
        connections::{CheckConnection, Story},
        history::{MakeLink, StartSync},
    },
    live::Refetch,
};
use leptos::{prelude::*, server_fn::ServerFn};
use model::{Role, Step, SyncKind};

/// The forms of a connection's page; several places show them.
#[derive(Clone, Copy)]
pub(crate) struct Hands {
    /// The connection.
    pub latest: Latest,
    /// Asks Makini now.
    pub check: Post,
    /// Starts a sync.
    pub sync: Post,
    /// Makes a reconnect link.
    pub link: Post,
    /// Whether the person may do any of it.
    pub may: bool,
}

impl Hands {
    /// The forms; once one was accepted, the connection is asked for again.
    pub(crate) fn new(latest: Latest, refetch: Refetch) -> Self {
        let said = "Asked Makini. The answer appears here by itself.";
        Self {
            latest,
            check: Post::new(CheckConnection::PATH, said, move || refetch.nudge()),
            sync: Post::new(StartSync::PATH, "Asked Makini for a sync.", move || refetch.nudge()),
            link: Post::new(MakeLink::PATH, "Reconnect link made.", move || refetch.nudge()),
            may: may(latest, Role::Support),
        }
    }

    /// The step that the playbook names; none where nothing is to be done.
    pub(crate) fn step(self) -> Option<Step> {
        self.latest.with(|got| step(got.as_ref().and_then(Got::story)?))
    }

    /// The form that does a step; what was refused is shown where its button is.
    pub(crate) fn post(self, step: Step) -> Option<Post> {
        match step {
            Step::Reconnect => Some(self.link),
            Step::Check => Some(self.check),
            Step::Sync => Some(self.sync),
            _ => None,
        }
    }

    fn id(self) -> String {
        let id = |got: &Option<Got>| Some(got.as_ref()?.story()?.detail.connection.id.to_string());
        self.latest.with(id).unwrap_or_default()
    }

    /// “Check now”.
    pub(crate) fn check_button(self, class: &'static str) -> AnyView {
        let checking = move || {
            self.check.busy.get()
                || self.latest.with(|got| got.as_ref().and_then(Got::story).is_some_and(|story| story.detail.checking))
        };
        let fields = view! {
            <input type="hidden" name="id" value=move || self.id() />
            <button class=class disabled=checking>{move || if checking() { "Checking…" } else { "Check now" }}</button>
        };
        self.check.form("", fields.into_any())
    }

    /// “Sync what changed”, or everything.
    pub(crate) fn sync_button(self, kind: SyncKind, class: &'static str) -> AnyView {
        let words = match kind {
            SyncKind::Incremental => "Sync what changed",
            SyncKind::Full => "Sync everything",
        };
        let fields = view! {
            <input type="hidden" name="id" value=move || self.id() />
            <input type="hidden" name="kind" value=kind.code() />
            <button class=class disabled=move || self.sync.busy.get()>{words}</button>
        };
        self.sync.form("", fields.into_any())
    }

    /// “Make a reconnect link”.
    pub(crate) fn link_button(self, class: &'static str) -> AnyView {
        let fields = view! {
            <input type="hidden" name="id" value=move || self.id() />
            <button class=class disabled=move || self.link.busy.get()>{Step::Reconnect.words()}</button>
        };
        self.link.form("", fields.into_any())
    }
}

/// The step that the playbook names.
fn step(story: &Story) -> Option<Step> {
    if story.detail.removed_at.is_some() {
        return None;
    }
    Some(story.detail.connection.cause.as_ref().map_or(Step::Check, |cause| cause.code.play().step))
}
