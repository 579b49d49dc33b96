#!/usr/bin/env python3
"""Prints template.yaml as SAM would hand it to CloudFormation (JSON on standard output).

It runs SAM's own translator without an AWS account or a network: nothing in the template names a managed policy by
anything but its ARN, so the list of managed policies that the translator would ask IAM for is empty, and the code of
the functions is taken to be uploaded already.

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
    """Stands in for the loader that asks IAM for its managed policies."""

    def __init__(self):
        super().__init__(iam_client=None)

    def load(self):
        return {}


def translate(path, parameters):
    """The translated template. Raises InvalidDocumentException where SAM refuses it."""
    template = yaml_parse(path.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    translated = Translator(managed_policy_map={}, sam_parser=Parser()).translate(
        sam_template=template,
        parameter_values=parameters,
        get_managed_policy_map=NoManagedPolicies().load,
    )
    # SAM drops the whole Transform section, of which only its own part has been dealt with.
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
