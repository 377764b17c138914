//! Screens that are loaded when they are first needed, an area at a time.
//!
//! **How a page becomes lazy.** It is written like any other component and named in an area of `areas!` below; its route in `lib.rs`
//! says `view={Lazy::<lazy::Name>::new()}`, and the braces must be there. What only one area uses then lies in a file of its own,
//! what several use in files that they share, and what the frame around them uses in the main one. So:
//!
//! * Screens that share most of their parts, and are seen one after the other, are one area: every area more means more files in
//!   which parts are shared. The start and the list are two all the same; as one they were 6 to 9 kB more for whoever begins at either.
//! * What belongs to a page is not called from [`crate::parts::frame`] or [`crate::asking`], or it is loaded with every page.
//! * A name without a route breaks the build. `cargo leptos` without `--split` builds pages that come from the server and stay dead.

use crate::pages::{
    alert_channel::ChannelPage, alert_channels::ChannelsPage, alert_log::LogPage, alert_maintenance::MaintenancePage,
    alert_notification::NotificationPage, alert_route::RoutePage, alert_routes::RoutesPage, alert_rule::RulePage,
    alert_rules::RulesPage, alert_silence::SilencePage, alert_silences::SilencesPage, alerts::AlertsPage,
    bulk::BulkPage, bulk_new::NewBulkPage, connection::ConnectionScreen, connections::ConnectionsPage,
    customer::CustomerPage, customers::CustomersPage, endpoint::EndpointPage, endpoint_new::NewEndpointPage,
    endpoints::EndpointsPage, event::EventPage, events::EventsPage, failed::FailedPage, issue::IssuePage,
    issues::IssuesPage, makini_deliveries::MakiniDeliveriesPage, overview::OverviewPage, retention::RetentionPage,
    retry::RetryPage, retry_new::NewRetryPage, source::SourcePage, source_new::NewSourcePage, sources::SourcesPage,
    system::SystemPage,
};
use crate::parts::loading;
use leptos::{lazy, prelude::*};
use leptos_router::LazyRoute;

/// `area, the name that leptos gives to its loading: Name => Page, …;`
macro_rules! areas {
    ($($(#[$doc:meta])* $area:ident, $preload:ident: $($name:ident => $page:ident),*;)*) => {
        /// Which screen of its area.
        enum Screen {
            $($($name,)*)*
        }

        $(
            $(#[$doc])*
            #[lazy]
            fn $area(screen: Screen) -> AnyView {
                match screen {
                    $(Screen::$name => $page().into_any(),)*
                    // No screen of another area comes here.
                    _ => ().into_any(),
                }
            }

            $(
                /// A route's view.
                pub(crate) struct $name;

                impl LazyRoute for $name {
                    fn data() -> Self {
                        Self
                    }

                    async fn view(_: Self) -> AnyView {
                        let _under_way = loading::begin();
                        $area(Screen::$name).await
                    }

                    async fn preload() {
                        #[cfg(feature = "hydrate")]
                        $preload().await;
                    }
                }
            )*
        )*
    };
}

areas! {
    /// The start.
    overview, __preload_overview: Overview => OverviewPage;
    /// The list.
    connections, __preload_connections: Connections => ConnectionsPage;
    /// One of them.
    connection, __preload_connection: Connection => ConnectionScreen;
    /// What is wrong, and doing one thing with many.
    issues, __preload_issues: Issues => IssuesPage, Issue => IssuePage, NewBulk => NewBulkPage, Bulk => BulkPage;
    /// Who owns them.
    customers, __preload_customers: Customers => CustomersPage, Customer => CustomerPage;
    /// Linewatch itself.
    system, __preload_system: System => SystemPage;
    /// What failed, what came in, where it goes; and what of it is kept.
    webhooks, __preload_webhooks: Failed => FailedPage, NewRetry => NewRetryPage, Retry => RetryPage, Events => EventsPage,
        Event => EventPage, Endpoints => EndpointsPage, NewEndpoint => NewEndpointPage, Endpoint => EndpointPage,
        Retention => RetentionPage, MakiniDeliveries => MakiniDeliveriesPage;
    /// What is alerted on, who is told, and what was told.
    alerts, __preload_alerts: Alerts => AlertsPage, Rules => RulesPage, Rule => RulePage, Silences => SilencesPage,
        Silence => SilencePage, Maintenance => MaintenancePage, Routes => RoutesPage, OneRoute => RoutePage,
        Channels => ChannelsPage, Channel => ChannelPage, Log => LogPage, Notification => NotificationPage;
    /// What can be set.
    settings, __preload_settings: Sources => SourcesPage, Source => SourcePage, NewSource => NewSourcePage;
}
