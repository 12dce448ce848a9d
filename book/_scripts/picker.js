/* The picker: of all comparisons in the table, those of one setting, device and input.
 * Without this script the table is there to be opened, whole.
 */
"use strict";

const ALL = "all inputs";
const FIELDS = ["setting", "device", "size"];
const NAMES = { setting: "where the line runs", device: "device", size: "input" };

/* A question with its answers to choose from, the first of them chosen. */
function question(field, answers) {
  const select = document.createElement("select");
  select.name = field;
  select.append(...answers.map((one) => new Option(one)));
  const label = document.createElement("label");
  label.append(`${NAMES[field]} `, select);
  return label;
}

/* What the page says above the rows that fit. */
function sentence({ setting, device, size }, decision, found) {
  const where = `${setting}, ${device}, ${size}`;
  if (decision === undefined) return `${where}: not measured here; no chapter runs it there.`;
  const many = found === 1 ? "1 comparison" : `${found} comparisons`;
  if (found > 0) return `${where}: ${many}. Change the line there? ${decision.sizes[size] ?? decision.change}.`;
  const shape = decision.shape && size.includes("×") ? ` SHAPE=${size.replaceAll("×", ",")}` : "";
  return `${where}: not measured here. Run: ${decision.command}${shape}`;
}

function pick(details) {
  const { decisions, settings, devices, sizes } = JSON.parse(details.querySelector("script").textContent);
  const table = details.querySelector("table");
  const rows = [...table.tBodies[0].rows];
  const form = document.createElement("form");
  form.setAttribute("aria-label", "your setting");
  form.append(
    question("setting", settings),
    question("device", devices),
    question("size", [...sizes, ALL]),
  );
  const said = document.createElement("p");
  said.setAttribute("role", "status");

  const show = () => {
    const wanted = Object.fromEntries(FIELDS.map((field) => [field, form.elements[field].value]));
    const fits = (row) => FIELDS.every((field) => [ALL, row.dataset[field]].includes(wanted[field]));
    for (const row of rows) row.hidden = !fits(row);
    const { setting, device } = wanted;
    const decision = decisions.find((one) => one.name === setting && one.device === device);
    said.textContent = sentence(wanted, decision, rows.filter(fits).length);
    table.hidden = !rows.some(fits);
    table.classList.toggle("all", wanted.size === ALL);
  };
  const picker = document.createElement("div");
  picker.className = "picker ready";
  picker.append(form, said, table);
  details.replaceWith(picker);
  form.addEventListener("change", show);
  show();
}

for (const details of document.querySelectorAll("details.picker")) pick(details);
