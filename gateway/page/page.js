"use strict";

// Draws openapi.json: every call with its parameters, body and answers, and a form that sends it.
// Texts of the document go in as text, never as HTML.

const METHODS = ["get", "post", "put", "patch", "delete"];
let description;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

function prose(text) {
  return (text || "").split(/\n\s*\n/).filter(Boolean).map((paragraph) => {
    const pieces = paragraph.split("`");
    return element("p", {}, ...pieces.map((piece, at) => (at % 2 ? element("code", {}, piece) : piece)));
  });
}

const json = (value) => JSON.stringify(value, null, 2);
const nameOf = (reference) => reference.split("/").at(-1);

function resolved(schema) {
  return schema && schema.$ref ? description.components.schemas[nameOf(schema.$ref)] : schema || {};
}

function kindOf(schema) {
  if (!schema) return "nothing";
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.anyOf) return schema.anyOf.map(kindOf).join(" or ");
  if (schema.const !== undefined) return json(schema.const);
  if (schema.enum) return schema.enum.map(json).join(" | ");
  if (schema.type === "array") return `list of ${kindOf(schema.items)}`;
  if (schema.type === "object" && typeof schema.additionalProperties === "object" && !schema.properties) {
    return `object of ${kindOf(schema.additionalProperties)}`;
  }
  return schema.format || schema.type || "any value";
}

function bounds(schema) {
  const words = [];
  if (schema.minimum !== undefined) words.push(`at least ${schema.minimum}`);
  if (schema.maximum !== undefined) words.push(`at most ${schema.maximum}`);
  if (schema.pattern) words.push(`matches ${schema.pattern}`);
  if (schema.default !== undefined && schema.default !== "" && schema.default !== null) {
    words.push(`default ${json(schema.default)}`);
  }
  return words.length ? ` (${words.join(", ")})` : "";
}

// The schemas that a value may have members of: through lists, maps and alternatives.
function inner(schema) {
  if (schema.anyOf) return schema.anyOf.flatMap(inner);
  if (schema.items) return inner(schema.items);
  if (schema.additionalProperties && typeof schema.additionalProperties === "object") {
    return inner(schema.additionalProperties);
  }
  return resolved(schema).properties ? [schema] : [];
}

function members(schema) {
  const object = resolved(schema);
  const list = element("dl", { class: "members" });
  for (const [name, member] of Object.entries(object.properties)) {
    const optional = (object.required || []).includes(name) ? "" : ", optional";
    list.append(
      element("dt", {}, element("code", {}, name), element("span", { class: "quiet" }, ` ${kindOf(member)}${optional}`)),
      element("dd", {}, (member.description || "") + bounds(member), ...inner(member).map(unfolding)),
    );
  }
  return list;
}

// Members are drawn when they are asked for: a document holds documents of documents.
function unfolding(schema) {
  const details = element("details", {}, element("summary", { class: "quiet" }, kindOf(schema)));
  details.addEventListener("toggle", () => details.open && details.childElementCount === 1 && details.append(members(schema)));
  return details;
}

function contentOf(holder) {
  return ((holder || {}).content || {})["application/json"];
}

function exampleOf(content) {
  if (!content) return undefined;
  return content.example !== undefined ? content.example : (Object.values(content.examples || {})[0] || {}).value;
}

function answers(responses) {
  return Object.entries(responses).map(([status, response]) => {
    const content = contentOf(response);
    const example = exampleOf(content);
    return element("details", {},
      element("summary", {}, element("code", {}, status), ` ${response.description}`),
      ...Object.entries(response.headers || {}).map(([name, header]) =>
        element("p", {}, element("code", {}, name), ` ${header.description}`)),
      ...(content ? inner(content.schema).map(unfolding) : []),
      example === undefined ? null : element("pre", {}, json(example)));
  });
}

function form(path, method, operation) {
  const fields = (operation.parameters || []).map((parameter) => {
    const input = element("input", { name: parameter.name, placeholder: kindOf(parameter.schema) });
    if (parameter.required) input.required = true;
    return { parameter, input };
  });
  const content = contentOf(operation.requestBody);
  const body = content && element("textarea", { rows: 14, spellcheck: "false", "aria-label": "Body" });
  if (body && operation.requestBody.required) body.value = json(exampleOf(content));
  const answer = element("pre", { hidden: "" });
  const made = element("form", {},
    ...fields.map(({ parameter, input }) => element("label", {},
      element("span", {}, element("code", {}, parameter.name), element("span", { class: "quiet" },
        ` ${parameter.in} ${parameter.description || ""}${bounds(parameter.schema)}`)),
      input)),
    body ? element("h4", {}, "Body") : null,
    ...(body ? inner(content.schema).map(unfolding) : []),
    body || null,
    element("button", {}, "Send"),
    answer);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    answer.hidden = false;
    answer.textContent = "…";
    answer.textContent = await sent(path, method, fields, body);
  });
  return made;
}

const key = element("input", { type: "password", autocomplete: "off", name: "key" });

async function sent(path, method, fields, body) {
  const query = new URLSearchParams();
  const headers = {};
  for (const { parameter, input } of fields) {
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value && parameter.in === "query") query.set(parameter.name, input.value);
    else if (input.value) headers[parameter.name] = input.value;
  }
  if (body && body.value) headers["Content-Type"] = "application/json";
  if (key.value) headers.Authorization = `Bearer ${key.value}`;
  try {
    const address = new URL(path.slice(1) + (query.size ? `?${query}` : ""), document.baseURI);
    const response = await fetch(address, { method: method.toUpperCase(), headers, body: (body && body.value) || undefined });
    const text = await response.text();
    return `${response.status} ${response.statusText}\n\n${readable(text)}`;
  } catch (error) {
    return `The gateway does not answer: ${error.message}`;
  }
}

function readable(text) {
  try {
    return json(JSON.parse(text));
  } catch {
    return text;
  }
}

function call(path, method, operation) {
  const details = element("details", { class: "call", id: operation.operationId },
    element("summary", {},
      element("span", { class: `method ${method}` }, method.toUpperCase()),
      element("h3", {}, element("code", {}, path))));
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) {
      details.append(element("div", {},
        ...prose(operation.description),
        form(path, method, operation),
        element("h4", {}, "Answers"),
        ...answers(operation.responses)));
    }
  });
  return details;
}

function draw() {
  const main = document.getElementById("calls");
  const contents = document.getElementById("contents");
  const { title, version, summary, description: text } = description.info;
  main.replaceChildren(element("h1", {}, `${title} ${version}`), element("p", {}, summary), ...prose(text),
    element("p", {}, element("a", { href: "openapi.json" }, "openapi.json")),
    element("label", {}, element("span", {}, "API key ", element("span", { class: "quiet" }, "kept in this page alone")),
      key));
  for (const tag of description.tags) {
    main.append(element("h2", {}, tag.name), ...prose(tag.description));
    contents.append(element("h4", {}, tag.name));
    for (const [path, operations] of Object.entries(description.paths)) {
      for (const method of METHODS.filter((known) => ((operations[known] || {}).tags || []).includes(tag.name))) {
        const drawn = call(path, method, operations[method]);
        const link = element("a", { href: `#${drawn.id}` },
          element("span", { class: `method ${method}` }, method.toUpperCase()), path.replace("/api", ""));
        link.addEventListener("click", () => { drawn.open = true; });
        main.append(drawn);
        contents.append(link);
      }
    }
  }
}

fetch("openapi.json")
  .then((response) => response.json())
  .then((read) => { description = read; draw(); })
  .catch((error) => { document.getElementById("calls").textContent = `openapi.json cannot be read: ${error.message}`; });
