//! The only module that reads the environment: one struct per concern. A function may read only what its `Environment`
//! in `template.yaml` sets.

mod credentials;
mod deepl;
mod delivery;
mod environment;
mod hospitals;
mod limits;
mod resources;
mod rooms;
mod runtime;
mod sessions;
mod translation;

pub use credentials::{Credentials, TokenConfig, token_issuers};
pub use deepl::DeepLConfig;
pub use delivery::{AudienceConfig, ExpressConfig};
pub use environment::ConfigError;
pub use hospitals::Hospitals;
pub use limits::{ConnectionLimits, FloodLimits, Rate, limited_action_rate, push_rate, request_rate};
pub use resources::{SecretName, TableName};
pub use rooms::NewRoomConfig;
pub use runtime::{RuntimeConfig, function_name, stack_name};
pub use sessions::SessionConfig;
pub use translation::{TranslationConfig, TranslationLimits, TranslationReportConfig};
