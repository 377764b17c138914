//! Does the mail server answer, and may we sign in? Sends nothing.

use super::Report;
use crate::config::Config;

const WHAT: &str = "Mail server";

pub async fn look(config: &Config, report: &mut Report) {
    let Some(server) = &config.mail.server else {
        return report.unseen(WHAT, "LINEWATCH_MAIL_URL is not set, so there are no e-mail channels");
    };
    match server.try_out().await {
        Ok(()) => report.good(WHAT, &format!("{}:{} answers, and lets us in", server.host, server.port)),
        Err(why) => report.bad(WHAT, &why, "correct LINEWATCH_MAIL_URL, or ask who runs the server"),
    }
}
