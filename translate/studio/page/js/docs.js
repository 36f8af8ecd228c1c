/**
 * The page of the API: a section for each endpoint of openapi.json.
 * @module docs
 */

/** Make an element with text or children. @param {string} tag @param {...(string|Node)} children */
function element(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

/** Follow a "$ref" of the description. @param {Object} api @param {Object} schema */
function resolve(api, schema) {
  const path = schema?.$ref?.split("/").slice(1);
  return path ? path.reduce((place, key) => place[key], api) : (schema ?? {});
}

/** Say what a value may be, in a word or two. @param {Object} api @param {Object} given */
function typeOf(api, given) {
  const schema = resolve(api, given);
  if (schema.anyOf) return schema.anyOf.filter((one) => one.type !== "null").map((one) => typeOf(api, one)).join(" or ");
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(", ");
  if (schema.format === "binary" || schema.contentMediaType) return "file";
  if (schema.type === "array") return `list of ${typeOf(api, schema.items ?? {})}`;
  return schema.type ?? "any";
}

/** List the fields of an endpoint. @param {Object} api @param {Object} endpoint */
function fieldsOf(api, endpoint) {
  const rows = (endpoint.parameters ?? []).map((one) => ({...one, place: one.in}));
  for (const [type, {schema}] of Object.entries(endpoint.requestBody?.content ?? {})) {
    const body = resolve(api, schema);
    const place = type.startsWith("multipart") ? "form" : type.endsWith("json") ? "JSON" : "form";
    for (const [name, field] of Object.entries(body.properties ?? {})) {
      rows.push({name, place, schema: field, required: body.required?.includes(name), description: field.description});
    }
  }
  return rows;
}

/** Draw one endpoint. @param {Object} api @param {string} path @param {string} method @param {Object} endpoint */
function sectionOf(api, path, method, endpoint) {
  const section = element("section", element("h2", element("code", `${method.toUpperCase()} ${path}`)));
  section.append(element("p", endpoint.description ?? endpoint.summary ?? ""));
  const rows = fieldsOf(api, endpoint);
  if (!rows.length) return section;
  const head = element("tr", ...["Field", "In", "Type", "Meaning"].map((word) => element("th", word)));
  const body = rows.map(({name, place, schema, required, description}) => {
    const fallback = schema?.default === undefined || schema.default === "" ? "" : `default ${JSON.stringify(schema.default)}`;
    const meaning = [description, required ? "required" : fallback].filter(Boolean).join("; ");
    return element("tr", element("td", element("code", name)), ...[place, typeOf(api, schema), meaning].map((text) => element("td", text)));
  });
  section.append(element("table", element("thead", head), element("tbody", ...body)));
  return section;
}

const target = document.getElementById("endpoints");
try {
  const api = await (await fetch("openapi.json")).json();
  target.replaceChildren(...Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, endpoint]) => sectionOf(api, path, method, endpoint))));
} catch {
  target.replaceChildren(element("p", "The server does not answer. Is it still running?"));
}
