//! What the derives cannot say of the document, or say otherwise than it is.

use serde_json::{Map, Value, json};

/// Fields that take some words only of their type.
const ONLY: [(&str, &str, &[&str]); 3] = [
    ("BulkPatch", "state", &["paused", "running"]),
    ("RetryPatch", "state", &["paused", "running"]),
    ("IssuePatch", "state", &["open", "acknowledged", "waiting_on_customer", "snoozed", "resolved"]),
];

/// Times that are 0, for never, or not too short: seconds.
const NEVER_OR_AT_LEAST: [(&str, &str, u32); 4] = [
    ("NewRule", "repeat_seconds", 300),
    ("RulePatch", "repeat_seconds", 300),
    ("NewRoute", "repeat_seconds", 60),
    ("RoutePatch", "repeat_seconds", 60),
];

/// Filters given as an object: their names.
const FILTERS: [(&str, &[&str]); 2] = [
    ("NewBulk", &["health", "platform", "customer", "source", "tag", "q", "id"]),
    ("NewRetry", &["kind", "connection", "endpoint", "source", "error", "since", "until", "q", "path", "id"]),
];

/// Lists whose entries are not just any text: how many letters at most, and which.
const ENTRIES: [(&str, &str, u32, &str); 3] = [
    ("EndpointFilter", "kinds", 200, "."),
    ("EndpointFilter", "platforms", 200, "."),
    ("SourcePatch", "record_entities", 44, "^(eam|erp|wms)/[a-z-]+$"),
];

/// The document as it is told.
pub(super) fn tidied(mut document: Value) -> Value {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in paths.filter_map(Value::as_object_mut).flat_map(|methods| methods.values_mut()) {
        let said = operation["summary"].as_str().unwrap_or_default().replace('\n', " ");
        if let Some((summary, rest)) = said.split_once(". ") {
            operation["description"] = json!(rest);
            operation["summary"] = json!(format!("{summary}."));
        }
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            without_null(&mut parameter["schema"]);
            may_be_empty(parameter);
        }
        if let Some(schema) = operation.pointer_mut("/requestBody/content/application~1json/schema") {
            without_null(schema);
        }
    }
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        inputs(schemas);
    }
    document
}

/// What may be left out is derived as what may be null; in an address nothing is null, and a body that is absent is not null.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get("type").and_then(Value::as_array) {
        let named = types.iter().find(|name| **name != "null").cloned();
        schema["type"] = named.unwrap_or_default();
    } else if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let other = choices.iter().find(|choice| choice["type"] != "null").cloned();
        *schema = other.unwrap_or_default();
    }
}

/// A filter that is named and empty is none: so forms send what nobody filled in.
fn may_be_empty(parameter: &mut Value) {
    if parameter["in"] == "query" && parameter["required"] != true && parameter["schema"]["type"] != "array" {
        parameter["allowEmptyValue"] = json!(true);
    }
}

fn inputs(schemas: &mut Map<String, Value>) {
    for (schema, field, words) in ONLY {
        let field = &mut schemas[schema]["properties"][field];
        let said = field.get("description").or(field.pointer("/oneOf/0/description")).cloned();
        let mut words: Vec<_> = words.iter().map(|word| json!(word)).collect();
        if field.get("oneOf").is_some() {
            words.push(Value::Null);
        }
        *field = json!({ "description": said, "enum": words });
    }
    for (schema, field, least) in NEVER_OR_AT_LEAST {
        schemas[schema]["properties"][field]["anyOf"] = json!([{ "const": 0 }, { "minimum": least }]);
    }
    for (schema, field, most, pattern) in ENTRIES {
        let entry = &mut schemas[schema]["properties"][field]["items"];
        entry["maxLength"] = json!(most);
        entry["pattern"] = json!(pattern);
    }
    for (schema, names) in FILTERS {
        let one_or_many =
            json!({ "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
        let filter = &mut schemas[schema]["properties"]["filter"];
        filter["properties"] = names.iter().map(|name| ((*name).to_owned(), one_or_many.clone())).collect();
        filter["additionalProperties"] = json!(false);
    }
    in_one(schemas, "NewSource", "SourcePatch");
    // a rule is tried out while it is written, before it has a name
    let mut tried = schemas["NewRule"].clone();
    tried["properties"]["name"] =
        json!({ "type": "string", "maxLength": 100, "description": "Its name, if it has one." });
    schemas.insert("TriedRule".to_owned(), tried);
    schemas["PreviewWish"]["properties"]["rule"]["$ref"] = json!("#/components/schemas/TriedRule");
}

/// An input that holds another's fields is derived as both together, which forbids neither to hold fields that nobody knows.
fn in_one(schemas: &mut Map<String, Value>, whole: &str, part: &str) {
    schemas[part]["additionalProperties"] = json!(false);
    let mut fields = schemas[part]["properties"].as_object().cloned().unwrap_or_default();
    let parts = schemas[whole]["allOf"].as_array().cloned().unwrap_or_default();
    let Some(own) = parts.into_iter().find(|part| part.get("properties").is_some()) else { return };
    fields.extend(own["properties"].as_object().cloned().unwrap_or_default());
    schemas[whole] = json!({
        "type": "object",
        "description": schemas[whole]["description"],
        "properties": fields,
        "required": own["required"],
        "additionalProperties": false,
    });
}
