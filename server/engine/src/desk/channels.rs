//! By what means people are told.

use super::Desk;
use model::{Actor, Channel, ChannelId, ChannelPatch, NewChannel, Notification, Refusal};

impl Desk {
    pub(super) async fn list_channels(&self, _: &Actor) -> Result<Vec<Channel>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_channel(&self, _: &Actor, _: ChannelId) -> Result<Channel, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn create_channel(&self, _: &Actor, _: NewChannel) -> Result<Channel, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn patch_channel(&self, _: &Actor, _: ChannelId, _: ChannelPatch) -> Result<Channel, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn take_channel_away(&self, _: &Actor, _: ChannelId) -> Result<(), Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn try_channel(&self, _: &Actor, _: ChannelId) -> Result<Notification, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
