//! Rules, and what they would have done.

use super::Desk;
use model::{Actor, NewRule, Preview, PreviewWish, Refusal, Rule, RuleChange, RuleId, RulePatch};

impl Desk {
    pub(super) async fn list_rules(&self, _: &Actor) -> Result<Vec<Rule>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_rule(&self, _: &Actor, _: RuleId) -> Result<Rule, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_rule_changes(&self, _: &Actor, _: RuleId) -> Result<Vec<RuleChange>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn create_rule(&self, _: &Actor, _: NewRule) -> Result<Rule, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn patch_rule(&self, _: &Actor, _: RuleId, _: RulePatch) -> Result<Rule, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn take_rule_away(&self, _: &Actor, _: RuleId) -> Result<(), Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn try_rule(&self, _: &Actor, _: PreviewWish) -> Result<Preview, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
