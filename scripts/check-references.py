#!/usr/bin/env python3
"""Fails if a CloudFormation template (JSON on standard input) refers to something that does not exist in it.

Checked are every Ref, Fn::GetAtt with its attribute, variable of an Fn::Sub, DependsOn and condition. SAM generates
many of the resources the template refers to, and `sam validate --lint` accepts references to ones it does not generate.
Attributes are looked up in cfn-lint's resource schemas.
"""

import json
import re
import sys

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

PSEUDO_PARAMETERS = {
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
}
SUB_VARIABLE = re.compile(r"\$\{([^!][^}]*)\}")


class References:
    def __init__(self, template):
        self.resources = template.get("Resources", {})
        self.conditions = template.get("Conditions", {})
        self.names = PSEUDO_PARAMETERS | set(template.get("Parameters", {})) | set(self.resources)
        self.seen = 0
        self.problems = []

    def check(self, where, exists, what):
        self.seen += 1
        if not exists:
            self.problems.append(f"{where}: {what}")

    def name(self, where, name):
        self.check(where, name in self.names, f"unknown resource or parameter {name}")

    def condition(self, where, name):
        self.check(where, name in self.conditions, f"unknown condition {name}")

    def attribute(self, where, resource, attribute):
        if resource not in self.resources:
            self.check(where, False, f"unknown resource {resource}")
            return
        kind = self.resources[resource]["Type"]
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind)
        self.check(where, attribute in schema.get_atts, f"{resource} ({kind}) has no attribute {attribute}")

    def sub(self, where, value):
        text, own = (value, {}) if isinstance(value, str) else value
        for variable in SUB_VARIABLE.findall(text):
            if variable in own:
                continue
            resource, has_attribute, attribute = variable.partition(".")
            if has_attribute:
                self.attribute(where, resource, attribute)
            else:
                self.name(where, variable)
        self.walk(where, own)

    def walk(self, where, value):
        if isinstance(value, list):
            for position, item in enumerate(value):
                self.walk(f"{where}[{position}]", item)
        elif isinstance(value, dict):
            for key, item in value.items():
                if key == "Ref":
                    self.name(where, item)
                elif key == "Fn::GetAtt":
                    resource, attribute = item.split(".", 1) if isinstance(item, str) else item
                    self.attribute(where, resource, attribute)
                elif key == "Fn::Sub":
                    self.sub(where, item)
                elif key == "Fn::If":
                    self.condition(where, item[0])
                    self.walk(where, item[1:])
                elif key == "Condition" and isinstance(item, str):
                    self.condition(where, item)
                else:
                    self.walk(f"{where}.{key}", item)


def main():
    template = json.load(sys.stdin)
    references = References(template)
    for logical_id, resource in references.resources.items():
        depends = resource.get("DependsOn", [])
        for other in [depends] if isinstance(depends, str) else depends:
            references.name(f"{logical_id}.DependsOn", other)
        references.walk(logical_id, resource)
    references.walk("Conditions", references.conditions)
    references.walk("Outputs", template.get("Outputs", {}))
    if references.problems:
        sys.exit("\n".join(references.problems))
    print(f"all {references.seen} references in {len(references.resources)} resources exist")


main()
