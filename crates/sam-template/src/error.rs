//! Why a template cannot be used.

/// Each message is one sentence that names the resource and the property.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("failed to read the template {path}: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("the template is not valid YAML: {0}")]
    NotYaml(String),
    /// Something is missing, has the wrong type or refers to nothing.
    #[error("{path}: {problem}")]
    Invalid {
        /// For example `Resources.ChatApi.Properties.Routes.sendMessage.FunctionArn`.
        path: String,
        problem: String,
    },
}

/// An error about one path of the template.
pub(crate) fn invalid(path: &str, problem: impl Into<String>) -> TemplateError {
    TemplateError::Invalid { path: path.to_owned(), problem: problem.into() }
}
