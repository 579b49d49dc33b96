#!/usr/bin/env python3
"""Fails if what SAM generated in a translated template (JSON on standard input) is not what the template relies on.

- A Lambda authorizer states its identity sources, even if there are none: API Gateway's API requires the list, and
  where it is missing some take it for the Authorization header.
- Every role is limited by a permissions boundary: SAM attaches managed policies of AWS that allow more than any function
  needs.
"""

import json
import sys

REQUIRED = {
    "AWS::ApiGatewayV2::Authorizer": "IdentitySource",
    "AWS::IAM::Role": "PermissionsBoundary",
}


def main():
    resources = json.load(sys.stdin)["Resources"]
    checked = {kind: 0 for kind in REQUIRED}
    problems = []
    for logical_id, resource in resources.items():
        required = REQUIRED.get(resource["Type"])
        if required is None:
            continue
        checked[resource["Type"]] += 1
        if required not in resource["Properties"]:
            problems.append(f"{logical_id}: {required} is missing")
    problems += [f"no {kind} was generated" for kind, count in checked.items() if count == 0]
    if problems:
        sys.exit("\n".join(problems))
    print(f"all {sum(checked.values())} generated authorizers and roles are as expected")


main()
