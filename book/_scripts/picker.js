/* The picker: of all comparisons in the table, those of one setting, device, input and number of
 * threads, and what is known of one release of torch.
 * Without this script the table is there to be opened, whole.
 */
"use strict";

const ALL = "all inputs";
const FIELDS = ["setting", "device", "size", "threads"];
const NAMES = { setting: "where the line runs", device: "device", size: "input", threads: "threads", release: "torch" };

const inThreads = (count) => (Number(count) === 1 ? "1 thread" : `${count} threads`);

/* A question with its answers to choose from, the first of them chosen. */
function question(field, answers) {
  const select = document.createElement("select");
  select.name = field;
  const named = field === "threads" ? inThreads : String;
  select.append(...answers.map((answer) => new Option(named(answer), answer)));
  const label = document.createElement("label");
  label.append(`${NAMES[field]} `, select);
  return label;
}

/* What the page says above the rows that fit; `usual` is the number of threads of this run. */
function sentence({ setting, device, size, threads }, decision, count, usual) {
  const where = `${setting}, ${device}, ${size}, ${inThreads(threads)}`;
  if (decision === undefined) return `${where}: not measured here; no chapter runs it there.`;
  const many = count === 1 ? "1 comparison" : `${count} comparisons`;
  if (count > 0 && threads !== usual) return `${where}: ${many}. The decision is that of ${inThreads(usual)}.`;
  if (count > 0) return `${where}: ${many}. Change the line there? ${decision.sizes[size] ?? decision.change}.`;
  const shape = decision.shape && size.includes("×") ? ` SHAPE=${size.replaceAll("×", ",")}` : "";
  const more = threads === usual ? "" : ` THREADS=${threads}`;
  return `${where}: not measured here. Run: ${decision.command}${shape}${more}`;
}

function pick(details) {
  const choices = JSON.parse(details.querySelector("script").textContent);
  const table = details.querySelector("table");
  const rows = [...table.tBodies[0].rows];
  const form = document.createElement("form");
  form.setAttribute("aria-label", "your setting");
  form.append(
    question("setting", choices.settings),
    question("device", choices.devices),
    question("size", [...choices.sizes, ALL]),
    question("threads", choices.threads),
    question("release", choices.releases.map((each) => each.release)),
  );
  const status = document.createElement("p");
  status.setAttribute("role", "status");

  const show = () => {
    const wanted = Object.fromEntries(FIELDS.map((field) => [field, form.elements[field].value]));
    const fits = (row) => FIELDS.every((field) => [ALL, row.dataset[field]].includes(wanted[field]));
    for (const row of rows) row.hidden = !fits(row);
    const { setting, device } = wanted;
    const decision = choices.decisions.find((each) => each.name === setting && each.device === device);
    const told = sentence(wanted, decision, rows.filter(fits).length, String(choices.threads[0]));
    const { known } = choices.releases[form.elements.release.selectedIndex];
    status.textContent = known ? `${told} ${known}` : told;
    table.hidden = !rows.some(fits);
    table.classList.toggle("all", wanted.size === ALL);
  };
  const picker = document.createElement("div");
  picker.className = "picker ready";
  picker.append(form, status, table);
  details.replaceWith(picker);
  form.addEventListener("change", show);
  show();
}

for (const details of document.querySelectorAll("details.picker")) pick(details);
