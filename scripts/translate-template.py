#!/usr/bin/env python3
"""Prints template.yaml as SAM would pass it to CloudFormation (JSON on standard output).

Runs SAM's own translator without an AWS account or network. The list of managed policies it would fetch from IAM can
stay empty, because the template names managed policies only by ARN, and the functions' code counts as uploaded.

Usage: translate-template.py [TEMPLATE] [NAME=VALUE ...]   (parameters of the template; their defaults otherwise)
"""

import json
import sys
from pathlib import Path

from samtranslator.public.exceptions import InvalidDocumentException
from samtranslator.public.parser import Parser
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies(ManagedPolicyLoader):
    """Replaces the loader that fetches managed policies from IAM."""

    def __init__(self):
        super().__init__(iam_client=None)

    def load(self):
        return {}


def translate(path, parameters):
    """Translates the template. Raises InvalidDocumentException if SAM rejects it."""
    template = yaml_parse(path.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    translated = Translator(managed_policy_map={}, sam_parser=Parser()).translate(
        sam_template=template,
        parameter_values=parameters,
        get_managed_policy_map=NoManagedPolicies().load,
    )
    # SAM drops the whole Transform section, although it has applied only its own transform.
    return {"Transform": "AWS::LanguageExtensions", **translated}


def main():
    path, parameters = Path("template.yaml"), {}
    for argument in sys.argv[1:]:
        name, is_parameter, value = argument.partition("=")
        if is_parameter:
            parameters[name] = value
        else:
            path = Path(argument)
    try:
        json.dump(translate(path, parameters), sys.stdout, indent=1)
    except InvalidDocumentException as refused:
        sys.exit("\n".join(cause.message for cause in refused.causes))


main()
