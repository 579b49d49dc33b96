//! What calls need, and how they are denied.

use serde_json::json;

use super::*;
use sam_template::StackContext;

const TEMPLATE: &str = "
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  Writer:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: writer
      Policies:
        - Statement:
            - {Effect: Allow, Action: [dynamodb:PutItem, dynamodb:UpdateItem], Resource: !GetAtt Notes.Arn}
            - {Effect: Allow, Action: dynamodb:Query, Resource: !Sub '${Notes.Arn}/index/by-tag'}
            - {Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref Key}
            - Effect: Allow
              Action: execute-api:ManageConnections
              Resource: !Sub 'arn:aws:execute-api:us-east-1:123456789012:${Api}/dev/POST/@connections/*'
            - Effect: Allow
              Action: dynamodb:*
              Resource: !GetAtt Drafts.Arn
              Condition: {'ForAllValues:StringEquals': {'dynamodb:LeadingKeys': [mine]}}
  Idle: {Type: AWS::Serverless::Function, Properties: {CodeUri: idle}}
  Lent:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: lent, Policies: [AmazonDynamoDBFullAccess, DynamoDBCrudPolicy: {TableName: !Ref Notes}]}
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: !Ref Stage
      RouteSelectionExpression: $request.body.action
      Routes: {$default: {FunctionArn: !GetAtt Writer.Arn}}
  Key: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: known}}
  Notes:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: book, AttributeType: S}, {AttributeName: tag, AttributeType: S}]
      KeySchema: [{AttributeName: book, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - {IndexName: by-tag, KeySchema: [{AttributeName: tag, KeyType: HASH}], Projection: {ProjectionType: ALL}}
  Drafts:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: author, AttributeType: S}, {AttributeName: page, AttributeType: N}]
      KeySchema: [{AttributeName: author, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - {IndexName: by-page, KeySchema: [{AttributeName: page, KeyType: HASH}], Projection: {ProjectionType: ALL}}
";

fn template() -> Template {
    Template::parse(TEMPLATE, StackContext::local("demo"), &BTreeMap::new()).unwrap()
}

fn permissions(operation: &str, request: &Value) -> Vec<(String, String)> {
    let permissions = Permissions::of(&template()).of_dynamodb(operation, request);
    let name = |arn: &str| arn.rsplit_once(":table/").map(|(_, name)| name.to_owned()).unwrap_or_default();
    permissions.into_iter().map(|permission| (permission.action, name(&permission.resource))).collect()
}

fn keys(operation: &str, request: &Value) -> Option<Vec<String>> {
    let permissions = Permissions::of(&template()).of_dynamodb(operation, request);
    permissions.into_iter().next().unwrap().leading_keys.map(|keys| keys.into_iter().collect())
}

fn pair(action: &str, table: &str) -> (String, String) {
    (format!("dynamodb:{action}"), table.to_owned())
}

#[test]
fn transactions_need_permissions_of_their_parts() {
    let request = json!({"TransactItems": [
        {"Put": {"TableName": "demo-Notes", "Item": {"book": {"S": "a"}}}},
        {"Update": {"TableName": "demo-Drafts", "Key": {"author": {"S": "a"}}}},
        {"Delete": {"TableName": "demo-Notes", "Key": {"book": {"S": "b"}}}},
        {"ConditionCheck": {"TableName": "demo-Drafts", "Key": {"author": {"S": "b"}}}},
    ]});
    let expected = [
        pair("PutItem", "demo-Notes"),
        pair("UpdateItem", "demo-Drafts"),
        pair("DeleteItem", "demo-Notes"),
        pair("ConditionCheckItem", "demo-Drafts"),
    ];
    assert_eq!(permissions("TransactWriteItems", &request), expected);
    let request = json!({"TransactItems": [{"Get": {"TableName": "demo-Notes", "Key": {"book": {"S": "a"}}}}]});
    assert_eq!(permissions("TransactGetItems", &request), [pair("GetItem", "demo-Notes")]);
}

#[test]
fn batches_need_each_table() {
    let key = json!({"book": {"S": "a"}});
    let request = json!({"RequestItems": {"demo-Drafts": {"Keys": [key]}, "demo-Notes": {"Keys": [key]}}});
    assert_eq!(
        permissions("BatchGetItem", &request),
        ["demo-Drafts", "demo-Notes"].map(|name| pair("BatchGetItem", name))
    );
    assert_eq!(keys("BatchGetItem", &json!({"RequestItems": {"demo-Notes": {"Keys": [key]}}})).unwrap(), ["a"]);
    let writes = json!({"RequestItems": {"demo-Notes": [
        {"PutRequest": {"Item": {"book": {"S": "a"}, "tag": {"S": "t"}}}},
        {"DeleteRequest": {"Key": {"book": {"S": "b"}}}},
    ]}});
    assert_eq!(permissions("BatchWriteItem", &writes), [pair("BatchWriteItem", "demo-Notes")]);
    assert_eq!(keys("BatchWriteItem", &writes).unwrap(), ["a", "b"]);
}

#[test]
fn index_queries_need_only_the_index() {
    for operation in ["Query", "Scan"] {
        let request = json!({"TableName": "demo-Notes", "IndexName": "by-tag"});
        assert_eq!(permissions(operation, &request), [pair(operation, "demo-Notes/index/by-tag")]);
        assert_eq!(permissions(operation, &json!({"TableName": "demo-Notes"})), [pair(operation, "demo-Notes")]);
    }
    let arn = template().tables["Notes"].arn.clone();
    assert_eq!(permissions("Query", &json!({"TableName": arn})), [pair("Query", "demo-Notes")]);
}

#[test]
fn partition_keys_of_queries_are_found() {
    let query = |expression: &str| {
        json!({
            "TableName": "demo-Drafts",
            "KeyConditionExpression": expression,
            "ExpressionAttributeNames": {"#a": "author", "#p": "page"},
            "ExpressionAttributeValues": {":a": {"S": "mine"}, ":p": {"N": "3"}},
        })
    };
    for expression in ["author = :a", "#a=:a AND page > :p", "(#p >= :p) and (:a = author)"] {
        assert_eq!(keys("Query", &query(expression)).unwrap(), ["mine"], "{expression}");
    }
    let mut by_page = query("#p = :p");
    by_page["IndexName"] = json!("by-page");
    assert_eq!(keys("Query", &by_page).unwrap(), ["3"]);
    assert_eq!(keys("Query", &query("#p = :p")), None);
    assert_eq!(keys("Scan", &json!({"TableName": "demo-Drafts"})).unwrap(), Vec::<String>::new());
}

#[test]
fn calls_without_resource_need_nothing() {
    for operation in ["GetItem", "Query", "TransactWriteItems", "BatchGetItem", "DescribeTable", "Nothing"] {
        assert_eq!(permissions(operation, &json!({})), [], "{operation}");
    }
    assert_eq!(permissions("ListTables", &json!({})), [pair("ListTables", "*")]);
}

#[test]
fn denial_message_equals_awss() {
    let iam = Iam::of(&template());
    let get = json!({"TableName": "demo-Notes", "Key": {"book": {"S": "a"}}});
    let error = iam.allow_dynamodb("Writer", "GetItem", &get).unwrap_err().api_error();
    assert_eq!((error.status, error.code()), (400, "AccessDeniedException"));
    assert_eq!(error.body["__type"], "com.amazon.coral.service#AccessDeniedException");
    assert_eq!(
        error.body["Message"],
        "User: arn:aws:sts::123456789012:assumed-role/demo-WriterRole/demo-Writer is not authorized to perform: \
         dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:123456789012:table/demo-Notes because no \
         identity-based policy allows the dynamodb:GetItem action"
    );
}

#[test]
fn functions_without_statements_are_denied() {
    let iam = Iam::of(&template());
    let get = json!({"TableName": "demo-Notes", "Key": {"book": {"S": "a"}}});
    for function in ["Idle", "Lent"] {
        iam.allow_dynamodb(function, "GetItem", &get).unwrap_err();
        assert!(iam.granted().iter().all(|grant| grant.function != function));
    }
}

#[test]
fn advice_names_the_missing_statement_once() {
    let iam = Iam::of(&template());
    let get = json!({"TableName": "demo-Notes", "Key": {"book": {"S": "a"}}});
    for _ in 0..2 {
        iam.allow_dynamodb("Writer", "GetItem", &get).unwrap_err();
    }
    let advice = "Writer was denied dynamodb:GetItem; add to its policies: \
                - {Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Notes.Arn}";
    assert_eq!(iam.denials(), [advice.to_owned()].into(), "once");
}

#[test]
fn every_transaction_part_must_be_allowed() {
    let iam = Iam::of(&template());
    let part = |kind: &str| json!({ kind: {"TableName": "demo-Notes", "Item": {}, "Key": {}} });
    let transact = |parts: &[&str]| {
        let items: Vec<Value> = parts.iter().map(|kind| part(kind)).collect();
        iam.allow_dynamodb("Writer", "TransactWriteItems", &json!({ "TransactItems": items }))
    };
    transact(&["Put", "Update"]).unwrap();
    let denial = transact(&["Put", "Delete"]).unwrap_err().api_error();
    assert!(denial.body["Message"].as_str().unwrap().contains("perform: dynamodb:DeleteItem on"), "{denial:?}");
}

#[test]
fn indexes_secrets_and_connections_are_resources() {
    let iam = Iam::of(&template());
    let secrets = Secrets::of(&template(), &BTreeMap::new(), None).unwrap();
    let by_tag = json!({"TableName": "demo-Notes", "IndexName": "by-tag"});
    iam.allow_dynamodb("Writer", "Query", &by_tag).unwrap();
    iam.allow_dynamodb("Writer", "Query", &json!({"TableName": "demo-Notes"})).unwrap_err();
    for id in [template().secrets["Key"].arn.as_str(), "demo-Key"] {
        let request = json!({"SecretId": id});
        iam.allow_secrets("Writer", "GetSecretValue", &request, &secrets).unwrap();
        iam.allow_secrets("Idle", "GetSecretValue", &request, &secrets).unwrap_err();
    }
    iam.allow_secrets("Writer", "GetSecretValue", &json!({"SecretId": "other"}), &secrets).unwrap_err();
    iam.allow_connections("Writer", "POST", "a=").unwrap();
    iam.allow_connections("Writer", "DELETE", "a=").unwrap_err();
}

#[test]
fn policies_may_limit_partition_keys() {
    let iam = Iam::of(&template());
    let get = |author: &str| json!({"TableName": "demo-Drafts", "Key": {"author": {"S": author}}});
    iam.allow_dynamodb("Writer", "GetItem", &get("mine")).unwrap();
    iam.allow_dynamodb("Writer", "GetItem", &get("yours")).unwrap_err();
    let keys = json!([{"author": {"S": "mine"}}, {"author": {"S": "yours"}}]);
    let batch = json!({"RequestItems": {"demo-Drafts": {"Keys": keys}}});
    iam.allow_dynamodb("Writer", "BatchGetItem", &batch).unwrap_err();
}

#[test]
fn grants_can_be_revoked_and_restored() {
    let iam = Iam::of(&template());
    let notes = template().tables["Notes"].arn.clone();
    let grant = Grant { function: "Writer".into(), action: "dynamodb:PutItem".into(), resource: notes };
    assert!(iam.granted().contains(&grant));
    let put = || iam.allow_dynamodb("Writer", "PutItem", &json!({"TableName": "demo-Notes", "Item": {}}));
    put().unwrap();
    assert_eq!(iam.used(), BTreeMap::from([(grant.clone(), 1)]));
    iam.revoke(&grant);
    put().unwrap_err();
    assert_eq!((iam.denied_by_revoking(&grant), iam.used()[&grant]), (1, 1));
    iam.restore(&grant);
    put().unwrap();
    assert_eq!((iam.denied_by_revoking(&grant), iam.used()[&grant]), (1, 2));
}

#[test]
fn advice_can_be_pasted_into_template() {
    let template = template();
    let permissions = Permissions::of(&template);
    let api = template.api.as_ref().unwrap();
    let notes = &template.tables["Notes"].arn;
    for (resource, statement) in [
        (notes.clone(), notes.clone()),
        (format!("{notes}/index/by-tag"), format!("{notes}/index/by-tag")),
        (template.secrets["Key"].arn.clone(), template.secrets["Key"].arn.clone()),
        (
            permissions.of_connections("POST", "x=").remove(0).resource,
            format!("arn:aws:execute-api:us-east-1:123456789012:{}/dev/POST/@connections/*", api.id),
        ),
        (
            "arn:aws:dynamodb:us-east-1:123456789012:table/*".into(),
            "arn:aws:dynamodb:us-east-1:123456789012:table/*".into(),
        ),
    ] {
        let line = format!(
            "            - {{Effect: Allow, Action: a:B, Resource: {}}}\n",
            permissions.as_in_template(&resource)
        );
        let header = "        - Statement:\n";
        let pasted = TEMPLATE.replacen(header, &format!("{header}{line}"), 1);
        let read = Template::parse(&pasted, StackContext::local("demo"), &BTreeMap::new()).expect(&line);
        let resource = match &read.functions["Writer"].policies[0] {
            Policy::Statements(statements) => statements[0].resources.clone(),
            _ => Vec::new(),
        };
        assert_eq!(resource, [statement], "{line}");
    }
}
