//! Whole templates.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::*;

const WHOLE: &str = r#"
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Memory: {Type: Number, Default: 256, MinValue: 128, MaxValue: 1024}
  Origins: {Type: CommaDelimitedList, Default: 'https://a.example, https://b.example'}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    MemorySize: !Ref Memory
    Environment: {Variables: {LOG_LEVEL: info}}
Resources:
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: !Ref Stage
      RouteSelectionExpression: $request.body.action
      Auth: {AuthType: CUSTOM, AuthArn: !GetAtt Guard.Arn}
      Routes:
        $connect: {FunctionArn: !GetAtt Guard.Arn}
        sendMessage: {FunctionArn: !GetAtt Send.Arn, RouteResponseSelectionExpression: $default}
        markRead: {FunctionArn: !GetAtt Send.Arn, RouteResponseSelectionExpression: $default, IntegrationTimeout: 5000}
  SendResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref ApiSendmessageRoute, RouteResponseKey: $default}
  Guard:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: crates/guard/, Timeout: 10, FunctionName: !Sub '${AWS::StackName}-guard-${Stage}'}
  Send:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: crates/send
      Environment:
        Variables:
          MESSAGES_TABLE: !Ref Messages
          SECRET_ID: !Ref Key
          ORIGINS: !Join [',', !Ref Origins]
          ENDPOINT: !Sub https://${Api}.execute-api.${AWS::Region}.amazonaws.com/${Stage}
          ONLY_PROD: !If [IsProd, yes, !Ref AWS::NoValue]
      Policies:
        - AWSLambdaBasicExecutionRole
        - DynamoDBReadPolicy: {TableName: !Ref Messages}
        - Statement:
            - {Sid: Write, Effect: Allow, Action: 'dynamodb:PutItem', Resource: !GetAtt Messages.Arn}
            - {Effect: Allow, Action: ['dynamodb:Query'], Resource: [!Sub '${Messages.Arn}/index/by-kind']}
      Events:
        Log:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Messages.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 25
            FunctionResponseTypes: [ReportBatchItemFailures]
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 10
            MaximumRecordAgeInSeconds: 3600
            FilterCriteria: {Filters: [{Pattern: '{"eventName": ["INSERT"]}'}]}
            DestinationConfig: {OnFailure: {Type: S3, Destination: !GetAtt Lost.Arn}}
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
  Lost: {Type: AWS::S3::Bucket}
  Unknown: {Type: AWS::CloudWatch::Alarm, Properties: {Anything: !ImportValue elsewhere}}
  ProdOnly:
    Type: AWS::DynamoDB::Table
    Condition: IsProd
    Properties: {}
  Messages:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: room, AttributeType: S}
        - {AttributeName: seq, AttributeType: N}
        - {AttributeName: kind, AttributeType: S}
      KeySchema: [{AttributeName: room, KeyType: HASH}, {AttributeName: seq, KeyType: RANGE}]
      GlobalSecondaryIndexes:
        - IndexName: by-kind
          KeySchema: [{AttributeName: kind, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
  Key:
    Type: AWS::SecretsManager::Secret
    Properties: {GenerateSecretString: {PasswordLength: 64, ExcludePunctuation: true}}
Outputs:
  Url: {Description: where, Value: !Sub 'wss://${Api}.execute-api.${AWS::Region}.amazonaws.com/${Stage}'}
  Prod: {Condition: IsProd, Value: !Ref ProdOnly}
"#;

fn read(source: &str) -> Result<Template, TemplateError> {
    Template::parse(source, StackContext::local("demo"), &BTreeMap::new())
}

#[test]
fn functions_get_globals_environment_and_policies() {
    let template = read(WHOLE).unwrap();
    let send = &template.functions["Send"];
    assert_eq!((send.binary(), send.name.as_str()), ("send", "demo-Send"));
    assert_eq!((send.memory_mb, send.timeout), (256, Duration::from_secs(3)));
    assert_eq!(send.runtime, "provided.al2023");
    let id = &template.api.as_ref().unwrap().id;
    let expected: BTreeMap<String, String> = [
        ("LOG_LEVEL", "info".to_owned()),
        ("MESSAGES_TABLE", "demo-Messages".to_owned()),
        ("SECRET_ID", template.references["Key"].clone()),
        ("ORIGINS", "https://a.example,https://b.example".to_owned()),
        ("ENDPOINT", format!("https://{id}.execute-api.us-east-1.amazonaws.com/dev")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    assert_eq!(send.environment, expected);
    let table = "arn:aws:dynamodb:us-east-1:123456789012:table/demo-Messages";
    assert_eq!(send.policies[0], Policy::Managed("AWSLambdaBasicExecutionRole".into()));
    assert_eq!(
        send.policies[1],
        Policy::SamTemplate { name: "DynamoDBReadPolicy".into(), parameters: json!({"TableName": "demo-Messages"}) }
    );
    let statements = match &send.policies[2] {
        Policy::Statements(statements) => statements.as_slice(),
        _ => &[],
    };
    assert_eq!(statements[0].actions, ["dynamodb:PutItem"]);
    assert_eq!(statements[0].resources, [table]);
    assert_eq!(statements[1].resources, [format!("{table}/index/by-kind")]);
    let guard = &template.functions["Guard"];
    assert_eq!((guard.binary(), guard.name.as_str()), ("guard", "demo-guard-dev"));
}

#[test]
fn conditions_leave_statements_out() {
    let before = "            - {Effect: Allow, Action: ['dynamodb:Query']";
    let one = |action: &str| format!("{{Effect: Allow, Action: '{action}', Resource: !GetAtt Messages.Arn}}");
    let left_out = one("dynamodb:Scan");
    let kept = one("dynamodb:GetItem");
    let conditional = format!(
        "            - !If [IsProd, {left_out}, !Ref AWS::NoValue]\n\
         \x20           - !If [IsProd, !Ref AWS::NoValue, {kept}]\n"
    );
    let template = read(&WHOLE.replacen(before, &format!("{conditional}{before}"), 1)).unwrap();
    let statements = match &template.functions["Send"].policies[2] {
        Policy::Statements(statements) => statements.as_slice(),
        _ => &[],
    };
    let actions: Vec<&str> = statements.iter().flat_map(|one| &one.actions).map(String::as_str).collect();
    assert_eq!(actions, ["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:Query"]);
}

#[test]
fn stream_events_have_filters_and_destination() {
    let template = read(WHOLE).unwrap();
    let [event]: &[StreamEvent; 1] = template.functions["Send"].streams.as_slice().try_into().unwrap();
    assert_eq!((event.table.as_str(), event.batch_size), ("Messages", 25));
    assert_eq!(event.stream_arn, template.tables["Messages"].stream.as_ref().unwrap().arn);
    assert_eq!(event.filters, [json!({"eventName": ["INSERT"]})]);
    assert_eq!(event.maximum_retry_attempts, Some(10));
    assert_eq!(event.maximum_record_age, Some(Duration::from_secs(3600)));
    assert!(event.report_batch_item_failures && event.bisect_on_error && event.enabled);
    let lost = event.on_failure.as_ref().unwrap();
    assert_eq!((lost.name.as_str(), lost.kind), ("demo-lost", DestinationKind::Bucket));
}

#[test]
fn routes_respond_only_with_route_response() {
    let api = read(WHOLE).unwrap().api.unwrap();
    assert_eq!(api.stage, "dev");
    assert_eq!(api.authorizer.as_ref().unwrap().function, "Guard");
    assert_eq!(api.authorizer.as_ref().unwrap().name, "ApiConnectAuthorizer");
    let answers: Vec<(&str, bool)> = api.routes.values().map(|route| (route.key.as_str(), route.response)).collect();
    assert_eq!(answers, [("$connect", false), ("markRead", false), ("sendMessage", true)]);
    assert_eq!(api.routes["markRead"].integration_timeout, Duration::from_secs(5));
    assert_eq!(api.routes["sendMessage"].function, "Send");
}

#[test]
fn tables_secrets_and_outputs_are_read() {
    let template = read(WHOLE).unwrap();
    assert_eq!(template.tables.keys().collect::<Vec<_>>(), ["Messages"]);
    let table = &template.tables["Messages"];
    assert_eq!(table.key, Key { partition: "room".into(), sort: Some("seq".into()) });
    assert_eq!(table.indexes[0].key, Key { partition: "kind".into(), sort: None });
    assert_eq!(table.ttl_attribute.as_deref(), Some("expires_at"));
    let secret = &template.secrets["Key"];
    assert!(secret.arn.starts_with("arn:aws:secretsmanager:us-east-1:123456789012:secret:demo-Key-"));
    let generate = secret.generate.as_ref().unwrap();
    assert_eq!((generate.length, generate.exclude_punctuation), (64, true));
    assert_eq!(template.outputs.keys().collect::<Vec<_>>(), ["Url"]);
    assert!(template.outputs["Url"].value.starts_with("wss://"));
}

#[test]
fn overrides_decide_conditions_and_are_checked() {
    let with = |name: &str, value: &str| {
        Template::parse(WHOLE, StackContext::local("demo"), &[(name.to_owned(), value.to_owned())].into())
    };
    let error = with("Stage", "prod").unwrap_err().to_string();
    assert!(error.starts_with("Resources.ProdOnly.Properties.KeySchema: "), "{error}");
    for (name, value, expected) in [
        ("Stage", "test", "Parameters.Stage.AllowedValues: `test` is not one of dev, prod"),
        ("Stagee", "dev", "the template has no parameter `Stagee`; it has Memory, Origins, Stage"),
        ("Memory", "much", "Parameters.Memory.Type: `much` is not a number"),
        ("Memory", "64", "`64` is outside MinValue and MaxValue"),
    ] {
        let error = with(name, value).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}={value} gave {error:?}");
    }
}

#[test]
fn long_forms_equal_short_forms() {
    let short = r#"
Resources:
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub '${AWS::StackName}-t'
      AttributeDefinitions: [{AttributeName: a, AttributeType: S}]
      KeySchema: [{AttributeName: a, KeyType: HASH}]
Outputs:
  O: {Value: !Join ['', [!Ref T, !GetAtt T.Arn]]}
"#;
    let long = r#"{
        "Resources": {"T": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "TableName": {"Fn::Sub": "${AWS::StackName}-t"},
            "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]
        }}},
        "Outputs": {"O": {"Value": {"Fn::Join": ["", [{"Ref": "T"}, {"Fn::GetAtt": ["T", "Arn"]}]]}}}
    }"#;
    assert_eq!(read(short).unwrap(), read(long).unwrap());
    assert_eq!(read(short).unwrap().tables["T"].name, "demo-t");
}

#[test]
fn errors_name_the_path() {
    for (from, to, expected) in [
        (
            "!GetAtt Send.Arn, RouteResponse",
            "!GetAtt Sent.Arn, RouteResponse",
            "Resources.Api.Properties.Routes.sendMessage.FunctionArn: the template has no resource `Sent`",
        ),
        (
            "FunctionArn: !GetAtt Guard.Arn",
            "FunctionArn: guard",
            "Resources.Api.Properties.Routes.$connect.FunctionArn: `guard` is not the ARN of a function",
        ),
        (
            "ApiSendmessageRoute",
            "ApiSendMessageRoute",
            "SendResponse.Properties.RouteId: the template has no parameter or resource `ApiSendMessageRoute`",
        ),
        ("RouteResponseKey: $default", "RouteResponseKey: all", "`all` is not $default"),
        ("AuthType: CUSTOM", "AuthType: AWS_IAM", "Resources.Api.Properties.Auth.AuthType: AWS_IAM is not supported"),
        ("markRead:", "mark-read:", "Resources.Api.Properties.Routes.mark-read: a route key is"),
        ("markRead:", "SendMessage:", "both become the logical id `ApiSendmessageRoute`"),
        (
            "        $connect: {FunctionArn: !GetAtt Guard.Arn}\n",
            "",
            "Resources.Api.Properties.Auth: authorization needs a $connect route",
        ),
        (
            "RouteSelectionExpression: $request.body.action",
            "Name: x",
            "Resources.Api.Properties.RouteSelectionExpression: this property is required",
        ),
        ("CodeUri: crates/send", "Description: none", "Resources.Send.Properties.CodeUri: this property is required"),
        ("Timeout: 10", "Timeout: long", "Resources.Guard.Properties.Timeout: expected a whole number, found text"),
        ("Timeout: 10", "Timeout: 901", "Resources.Guard.Properties.Timeout: 901 is not between 1 and 900"),
        ("TRIM_HORIZON", "AT_ONCE", "Resources.Send.Properties.Events.Log.Properties.StartingPosition: `AT_ONCE`"),
        (
            "!GetAtt Messages.StreamArn",
            "!Ref Messages",
            "Events.Log.Properties.Stream: `demo-Messages` is not the stream of a table",
        ),
        (
            "      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}\n",
            "",
            "Events.Log.Properties.Stream: `Messages` has no stream",
        ),
        (r#"{"eventName": ["INSERT"]}"#, r#"{"eventName": "#, "FilterCriteria.Filters[0].Pattern: invalid JSON"),
        ("!GetAtt Lost.Arn", "!Ref Lost", "OnFailure.Destination: `demo-lost` is not the ARN of an S3 bucket"),
        (
            "Effect: Allow, Action: 'dynamodb:PutItem'",
            "Effect: Maybe, Action: 'dynamodb:PutItem'",
            "Policies[2].Statement[0].Effect: `Maybe` is not Allow or Deny",
        ),
        (
            "{Sid: Write, Effect: Allow, Action",
            "{Sid: Write, Effect: Allow, NotAction",
            "Policies[2].Statement[0].NotAction: this cannot be checked",
        ),
        (
            "AttributeName: kind, AttributeType: S",
            "AttributeName: sort, AttributeType: S",
            "GlobalSecondaryIndexes[0].KeySchema[0].AttributeName: `kind` is missing",
        ),
        (
            "AttributeType: N",
            "AttributeType: Number",
            "AttributeDefinitions[1].AttributeType: `Number` is not S, N or B",
        ),
        (
            "PasswordLength: 64",
            "PasswordLength: 0",
            "Resources.Key.Properties.GenerateSecretString.PasswordLength: 0 is not between 1 and 4096",
        ),
        ("IsProd: !Equals", "IsPrud: !Equals", "the template has no condition `IsProd`"),
        ("Type: AWS::S3::Bucket", "Kind: AWS::S3::Bucket", "Resources.Lost.Type: every resource needs a type"),
        (
            "!Sub 'wss://${Api}",
            "!Sub 'wss://${Apu}",
            "Outputs.Url.Value: the template has no parameter or resource `Apu`",
        ),
    ] {
        assert!(WHOLE.contains(from), "{from:?} is not in the template");
        let error = read(&WHOLE.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(error.contains(expected), "{to:?} gave {error:?}");
        assert!(!error.contains('\n'), "{error:?}");
    }
    for (source, expected) in [
        ("Resources: {}\n", "the template describes no resource"),
        ("Resources: [a]\n", "Resources: expected a mapping, found a list"),
        (
            "Parameters: {A: {Type: String}}\nResources: {B: {Type: X::Y::Z}}\n",
            "Parameters.A.Default: this parameter has no default",
        ),
    ] {
        let error = read(source).unwrap_err().to_string();
        assert!(error.contains(expected), "{source:?} gave {error:?}");
    }
    let missing = Template::read(std::path::Path::new("no/such.yaml"), StackContext::local("demo"), &BTreeMap::new());
    assert!(missing.unwrap_err().to_string().starts_with("failed to read the template no/such.yaml: "));
}

#[test]
fn names_are_stable_per_stack() {
    let of = |stack: &str| Template::parse(WHOLE, StackContext::local(stack), &BTreeMap::new()).unwrap();
    assert_eq!(of("one").references, of("one").references);
    for (id, name) in &of("one").references {
        assert_ne!(of("two").references[id], *name, "{id}");
    }
}

mod arbitrary_input {
    use proptest::prelude::*;

    use super::*;

    /// Mistakes that somebody may make in a template.
    const ODD: [&str; 14] = [
        "",
        " ",
        "- ",
        "!Ref",
        "!Ref Nobody",
        "!GetAtt A",
        "!Sub ${",
        "!If [x]",
        "&a *a",
        "{",
        "[[[[[[",
        "? :",
        "Fn::If: [IsProd]",
        "\t",
    ];

    fn read(text: &str) {
        let _ = Template::parse(text, StackContext::local("damso"), &BTreeMap::new());
    }

    proptest! {
        #[test]
        fn any_text_gives_template_or_error(text in "\\PC*") {
            read(&text);
        }

        #[test]
        fn changed_lines_give_template_or_error(
            at in any::<prop::sample::Index>(),
            change in 0usize..ODD.len() + 3,
            to in any::<prop::sample::Index>(),
        ) {
            let mut lines: Vec<&str> = WHOLE.lines().collect();
            let at = at.index(lines.len());
            let to = to.index(lines.len());
            let indent = &" ".repeat(lines[at].len() - lines[at].trim_start().len());
            let odd = ODD.get(change).map(|odd| match lines[at].split_once(':') {
                Some((key, _)) => format!("{key}: {odd}"),
                None => format!("{indent}{odd}"),
            });
            match (&odd, change - change.min(ODD.len())) {
                (Some(odd), _) => lines[at] = odd,
                (None, 0) => drop(lines.remove(at)),
                (None, 1) => lines.insert(to, lines[at]),
                (None, _) => lines.swap(at, to),
            }
            read(&lines.join("\n"));
        }
    }
}
