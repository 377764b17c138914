//! Two sources: one seen well, one not.

use super::now;
use chrono::TimeDelta;
use model::{
    AttemptError, Dialect, Environment, Mappings, Redirect, RejectionReason, Source, SourceRound, SourceTraffic,
    TokenOwnership, WebhookSecret,
};
use uuid::Uuid;

/// Seen well.
pub fn source() -> Source {
    Source {
        id: Uuid::from_u128(900).into(),
        name: "production".into(),
        environment: Environment::Production,
        dialect: Dialect::FaqV1,
        base_url: "https://api.makini.io".into(),
        client_id: "lw-8841".into(),
        token_ownership: TokenOwnership::External,
        redirect: Redirect::Theirs,
        authorize_url: None,
        enabled: true,
        webhook_url: "https://linewatch.example.com/webhooks/production".into(),
        webhook_secrets: vec![
            WebhookSecret {
                id: Uuid::from_u128(71).into(),
                hint: "9f2c".into(),
                created_at: now() - TimeDelta::days(90),
                last_used_at: Some(now() - TimeDelta::seconds(4)),
            },
            WebhookSecret {
                id: Uuid::from_u128(72).into(),
                hint: "a1b2".into(),
                created_at: now() - TimeDelta::days(1),
                last_used_at: None,
            },
        ],
        customer_key: "customer_name".into(),
        poll_interval_seconds: 60,
        rate_per_minute: 600,
        cadence_seconds: Some(3_600),
        late_factor: 2.0,
        late_grace_seconds: 300,
        proof_allowance_seconds: 900,
        mappings: Mappings::default(),
        record_entities: Vec::new(),
        record_minutes: 15,
        record_connections: 50,
        records: None,
        round: SourceRound {
            good_at: Some(now() - TimeDelta::seconds(24)),
            duration_ms: Some(812),
            listed: Some(1_180),
            error: None,
            failing_since: None,
            next_at: Some(now() + TimeDelta::seconds(36)),
        },
        traffic: SourceTraffic {
            events: 18_204,
            last_event_at: Some(now() - TimeDelta::seconds(4)),
            rejections: [(RejectionReason::SignatureWrong, 3), (RejectionReason::NotJson, 1)].into(),
            last_rejection_at: Some(now() - TimeDelta::hours(5)),
        },
        api_version: Some("2025-11-03".into()),
        api_version_since: None,
        api_version_before: None,
        skew_ms: Some(-240),
        connections: 1_180,
        version: 3,
    }
}

/// Cannot be seen: its rounds fail, and it has no webhook secret.
pub fn failing_source() -> Source {
    Source {
        id: Uuid::from_u128(901).into(),
        name: "trial".into(),
        environment: Environment::Sandbox,
        webhook_url: "https://linewatch.example.com/webhooks/trial".into(),
        webhook_secrets: Vec::new(),
        round: SourceRound {
            good_at: Some(now() - TimeDelta::minutes(33)),
            error: Some(AttemptError {
                class: "unauthorized".into(),
                message: "Makini refuses the client secret (401).".into(),
            }),
            failing_since: Some(now() - TimeDelta::minutes(33)),
            next_at: Some(now() + TimeDelta::seconds(12)),
            ..source().round
        },
        traffic: SourceTraffic::default(),
        connections: 24,
        ..source()
    }
}
