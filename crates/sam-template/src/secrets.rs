//! `AWS::SecretsManager::Secret`

use crate::properties::Properties;
use crate::resolver::Resolver;
use crate::{GenerateSecretString, Secret, TemplateError};

pub(crate) fn secret(resolver: &Resolver, id: &str, properties: &Properties) -> Result<Secret, TemplateError> {
    let generate = match properties.get("GenerateSecretString") {
        None => None,
        Some(_) => {
            let generate = properties.nested("GenerateSecretString")?;
            let json = match (generate.text("SecretStringTemplate")?, generate.text("GenerateStringKey")?) {
                (Some(template), Some(key)) => Some((template, key)),
                (None, None) => None,
                _ => {
                    return Err(
                        generate.error("GenerateStringKey", "this is only used together with `SecretStringTemplate`")
                    );
                }
            };
            let flag = |name: &str| Ok::<bool, TemplateError>(generate.boolean(name)?.unwrap_or(false));
            Some(GenerateSecretString {
                length: generate.number("PasswordLength", 1..=4096)?.unwrap_or(32),
                exclude_characters: generate.text("ExcludeCharacters")?.unwrap_or_default(),
                exclude_lowercase: flag("ExcludeLowercase")?,
                exclude_uppercase: flag("ExcludeUppercase")?,
                exclude_numbers: flag("ExcludeNumbers")?,
                exclude_punctuation: flag("ExcludePunctuation")?,
                include_space: flag("IncludeSpace")?,
                require_each_included_type: generate.boolean("RequireEachIncludedType")?.unwrap_or(true),
                json,
            })
        }
    };
    Ok(Secret {
        logical_id: id.to_owned(),
        name: resolver.name(id)?,
        arn: resolver.secret_arn(id)?,
        value: properties.text("SecretString")?,
        generate,
    })
}
