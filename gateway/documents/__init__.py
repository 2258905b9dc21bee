"""
The documents of the REST API, described for the OpenAPI document.

They describe and do not check: requests are checked by the service that they are for, answers are made from its
messages. Members have their names of JSON; NotRequired is a member that may be left out.
"""
