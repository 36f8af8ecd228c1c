/**
 * The check of the pictures of a training: a button, and what was found.
 * @module data_check
 */
import {postJson} from "./api.js";
import {button, el, statusLine} from "./dom.js";

/**
 * @param {() => Object} form returns the form whose pictures are to be checked
 * @returns {HTMLElement & {clear: () => void}}
 */
export function dataCheck(form) {
  const found = el("div", {class: "findings", attrs: {role: "status"}});
  let job = null;
  const check = async () => {
    job?.abort();
    const own = (job = new AbortController());
    const cancel = button("Cancel", () => own.abort(), {icon: "stop"});
    const line = statusLine();
    line.busy("reading every picture ...");
    found.replaceChildren(line, el("div", {class: "row"}, cancel));
    try {
      found.replaceChildren(...describe(await postJson("check", form(), own.signal)));
    } catch (error) {
      cancel.remove();
      if (error.name === "AbortError") line.say("cancelled");
      else line.fail(error.message);
    }
  };
  const row = el("div", {class: "row"}, button("Check the pictures", check, {icon: "check"}));
  return Object.assign(el("div", {class: "stack"}, row, found), {clear: () => (job?.abort(), found.replaceChildren())});
}

/** The findings of a report. @param {{parts: Object[], findings: Object[]}} report */
function describe({parts, findings}) {
  const sets = parts.map(({domain, split, pictures, sizes: [most]}) => {
    const size = most ? `, mostly ${most.width} × ${most.height}` : "";
    return `${domain} (${split}): ${pictures} pictures${size}`;
  });
  const list = el("ul", {class: "health"}, ...findings.map(row));
  return [
    el("p", {class: "small muted"}, sets.join(" · ")),
    findings.length ? list : el("p", {class: "good"}, "Nothing to mend."),
  ];
}

function row({problem, words, files, count}) {
  const more = count > files.length ? ` and ${count - files.length} more` : "";
  const names = files.length ? `: ${files.join(", ")}${more}` : "";
  const kind = problem ? "bad" : "";
  return el("li", {class: kind}, el("span", {class: `chip ${kind}`}, problem ? "mend" : "look"), ` ${words}${names}`);
}
