"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const READS = 1, SETS = 2, UNSET = 4, ROW = 22;

function make(tag, text, name) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (name) node.className = name;
  return node;
}
/* what stands between backticks is code; always text, whatever a name brings along */
function prose(node, text) {
  text.split("`").forEach((part, number, all) => {
    const code = number % 2 === 1 && number < all.length - 1;
    node.append(code ? make("code", part) : number % 2 ? "`" + part : part);
  });
  return node;
}
function drawn(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/* theme: as the system has it, until the button says otherwise */
const system = matchMedia("(prefers-color-scheme: dark)");
let theme = system.matches ? "dark" : "light";
const paint = () => { document.documentElement.dataset.theme = theme; };
system.addEventListener("change", () => { theme = system.matches ? "dark" : "light"; paint(); });
byId("theme").addEventListener("click", () => { theme = theme === "dark" ? "light" : "dark"; paint(); });
paint();

/* summary and findings */
for (const line of data.words) byId("words").append(prose(make("p"), line));
let seen = -1;
const cards = data.findings.map((finding) => {
  const card = make("div", undefined, "finding " + finding.severity);
  card.tabIndex = -1;
  const head = make("div");
  head.append(make("b", finding.severity + " " + finding.code, finding.severity), "  ");
  prose(head, finding.message);
  card.append(head);
  if (finding.hint) card.append(make("pre", "what to do: " + finding.hint));
  if (finding.operator !== null) {
    const button = make("button", "show operator " + finding.operator + " of subgraph " + finding.subgraph);
    button.type = "button";
    button.addEventListener("click", () => choose(finding.subgraph, finding.operator, true));
    card.append(button);
  }
  byId("list").append(card);
  return card;
});
if (!cards.length) byId("list").append(make("p", "Nothing wrong found."));

/* the drawing: signatures left, variables right, many variables by their first names */
function groups() {
  for (const depth of [9, 3, 2, 1, 0]) {
    const found = new Map();
    for (const variable of data.variables) {
      const first = variable.name.split("/").slice(0, depth || 1).join("/");
      const key = depth ? first : first.replace(/\d+/g, "*");
      if (!found.has(key)) found.set(key, { name: key, count: 0, cells: data.entries.map(() => 0) });
      const group = found.get(key);
      group.count += 1;
      variable.cells.forEach((bits, n) => { group.cells[n] |= bits; });
    }
    if (found.size <= 40 || depth === 0) return [...found.values()];
  }
}
function picture() {
  const all = groups(), shown = all.slice(0, 60);
  if (!shown.length) {
    for (const link of document.querySelectorAll('nav [href="#drawing"], nav [href="#variables"]')) link.hidden = true;
    byId("drawing").hidden = byId("variables").hidden = true;
    return;
  }
  const used = data.entries.map((label, n) => n).filter((n) => shown.some((g) => g.cells[n]));
  const step = 26, height = Math.max(shown.length, used.length * 2) * step + 10;
  const svg = drawn("svg", { width: 900, height, viewBox: `0 0 900 ${height}`, role: "img" });
  svg.append(drawn("title", {}, "which signature sets and reads which variable"));
  const place = (n, count) => (n + 0.5) * (height / count);
  used.forEach((entry, row) => {
    const y = place(row, used.length);
    shown.forEach((group, column) => {
      const bits = group.cells[entry];
      if (!bits) return;
      const end = place(column, shown.length);
      const lines = [];
      if (bits & UNSET) lines.push(["var(--red)", 0, 2]);
      else if (bits & READS) lines.push(["var(--blue)", 0, 1]);
      if (bits & SETS) lines.push(["var(--green)", 4, 1]);
      for (const [colour, off, width] of lines)
        svg.append(drawn("path", { d: `M210 ${y + off} C 340 ${y + off}, 340 ${end + off}, 470 ${end + off}`,
          fill: "none", stroke: colour, "stroke-width": width, opacity: 0.75 }));
    });
    const bad = shown.some((group) => group.cells[entry] & UNSET);
    svg.append(drawn("rect", { x: 10, y: y - 13, width: 200, height: 26, rx: 4, class: bad ? "box bad" : "box" }));
    svg.append(drawn("text", { x: 18, y: y + 5 }, cut(data.entries[entry], 24)));
  });
  shown.forEach((group, column) => {
    const y = place(column, shown.length), bad = group.cells.some((bits) => bits & UNSET);
    svg.append(drawn("rect", { x: 470, y: y - 11, width: 420, height: 22, rx: 4, class: bad ? "box bad" : "box" }));
    svg.append(drawn("text", { x: 478, y: y + 5 }, cut(group.name, 44) + (group.count > 1 ? ` (${group.count})` : "")));
  });
  byId("picture").append(svg);
  if (all.length > shown.length) byId("picture").append(make("p", `and ${all.length - shown.length} more: see the table`));
}
const cut = (text, length) => (text.length > length ? "\u2026" + text.slice(text.length - length + 1) : text);
picture();

/* variables: filter and sort */
const columns = [
  ["name", (v) => v.name], ["type", (v) => v.type], ["bytes", (v) => v.bytes], ["status", (v) => v.status],
  ...data.entries.map((label, n) => [label, (v) => v.cells[n]]),
];
const order = { column: -1, down: false };
function cell(bits) {
  const words = [];
  if (bits & UNSET) words.push("reads unset"); else if (bits & READS) words.push("reads");
  if (bits & SETS) words.push("sets");
  return make("td", words.join(", "), bits & UNSET ? "unset" : bits & SETS ? "set" : "read");
}
const headRow = make("tr");
columns.forEach(([title], n) => {
  const head = make("th"), button = make("button", title);
  head.scope = "col";
  button.type = "button";
  button.addEventListener("click", () => {
    order.down = order.column === n && !order.down;
    order.column = n;
    headRow.querySelectorAll("th").forEach((th, k) => th.setAttribute("aria-sort", k === n ? (order.down ? "descending" : "ascending") : "none"));
    table();
  });
  head.append(button);
  headRow.append(head);
});
byId("vtable").tHead.append(headRow);
const MOST = 2000;
function table() {
  const wanted = byId("vfilter").value.toLowerCase();
  const rows = data.variables.filter((v) => (v.name + " " + v.type + " " + v.status).toLowerCase().includes(wanted));
  if (order.column >= 0) {
    const key = columns[order.column][1];
    rows.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (order.down ? -1 : 1));
  }
  byId("vcount").textContent = `${rows.length} of ${data.variables.length}` + (rows.length > MOST ? `, the first ${MOST} shown` : "");
  const body = byId("vtable").tBodies[0];
  body.replaceChildren(...rows.slice(0, MOST).map((v) => {
    const row = make("tr", undefined, v.cells.some((bits) => bits & UNSET) ? "bad" : "");
    const name = make("td");
    if (v.sites.length) {
      const link = make("button", v.name);
      link.type = "button";
      link.addEventListener("click", () => choose(v.sites[0][0], v.sites[0][1], true));
      name.append(link);
    } else name.textContent = v.name;
    row.append(name, make("td", v.type), make("td", v.bytes.toLocaleString("en")), make("td", v.status), ...v.cells.map(cell));
    return row;
  }));
}
byId("vfilter").addEventListener("input", table);
table();

/* operators: only the rows in sight are in the page */
const marked = new Set();
for (const finding of data.findings)
  if (finding.operator !== null && finding.severity === "error") marked.add(finding.subgraph + ":" + finding.operator);
data.subgraphs.forEach((graph, n) => {
  const option = make("option", `${n} ${cut(graph.name, 40)} (${graph.operators.length})`);
  option.value = n;
  byId("which").append(option);
});
let graph = 0, list = [], chosen = 0;
function outputName(row, tensors) {
  const index = row[2].find((t) => t >= 0);
  return index === undefined ? "" : tensors[index][0] + "  " + tensors[index][1];
}
function search() {
  const wanted = byId("ofilter").value.toLowerCase(), { operators, tensors } = data.subgraphs[graph];
  list = [];
  operators.forEach((row, n) => {
    if (!wanted || row[0].toLowerCase().includes(wanted) || [...row[1], ...row[2]].some((t) => t >= 0 && tensors[t][0].toLowerCase().includes(wanted))) list.push(n);
  });
  byId("ocount").textContent = `${list.length} of ${operators.length}`;
  byId("space").style.height = list.length * ROW + "px";
  scroll();
}
function scroll() {
  const box = byId("rows"), { operators, tensors } = data.subgraphs[graph];
  const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 10), last = Math.min(list.length, first + Math.ceil(box.clientHeight / ROW) + 20);
  byId("window").style.top = first * ROW + "px";
  byId("window").replaceChildren(...list.slice(first, last).map((n) => {
    const row = make("div", `${String(n).padStart(6)}  ${operators[n][0].padEnd(22)}  ${outputName(operators[n], tensors)}`, "row");
    row.setAttribute("role", "option");
    row.id = "op" + n;
    if (marked.has(graph + ":" + n)) row.classList.add("marked");
    if (n === chosen) { row.classList.add("chosen"); row.setAttribute("aria-selected", "true"); }
    row.addEventListener("click", () => choose(graph, n, false));
    return row;
  }));
}
function choose(subgraph, operator, jump) {
  if (subgraph !== graph || (jump && !list.includes(operator))) { graph = subgraph; byId("which").value = graph; byId("ofilter").value = ""; search(); }
  chosen = operator;
  const box = byId("rows"), row = list.indexOf(operator);
  if (row >= 0 && (row * ROW < box.scrollTop || (row + 1) * ROW > box.scrollTop + box.clientHeight)) box.scrollTop = Math.max(0, row * ROW - box.clientHeight / 2);
  scroll();
  box.setAttribute("aria-activedescendant", "op" + operator);
  detail();
  if (jump) { byId("operators").scrollIntoView(); box.focus({ preventScroll: true }); }
}
function detail() {
  const box = byId("detail"), { operators, tensors } = data.subgraphs[graph], row = operators[chosen];
  box.replaceChildren();
  if (!row) return;
  box.append(make("h3", `${chosen} ${row[0]}`));
  if (row[3]) box.append(make("p", row[3]));
  for (const [side, indices] of [["in", row[1]], ["out", row[2]]]) for (const index of indices) {
    box.append(make("div", index < 0 ? `${side}  (left out)` : `${side}  #${index} ${tensors[index][0]}  ${tensors[index][1]}`));
    if (index < 0) continue;
    const near = [];
    operators.forEach((other, n) => {
      if (n !== chosen && (side === "in" ? other[2] : other[1]).includes(index)) near.push(n);
    });
    const line = make("div");
    for (const n of near.slice(0, 6)) {
      const button = make("button", (side === "in" ? "from " : "to ") + n + " " + operators[n][0]);
      button.type = "button";
      button.addEventListener("click", () => choose(graph, n, true));
      line.append(button);
    }
    if (near.length > 6) line.append(document.createTextNode(` and ${near.length - 6} more`));
    box.append(line);
  }
}
byId("rows").addEventListener("scroll", scroll);
byId("ofilter").addEventListener("input", search);
byId("which").addEventListener("change", () => { graph = Number(byId("which").value); chosen = 0; byId("rows").scrollTop = 0; search(); detail(); });
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = document.activeElement, typing = ["INPUT", "SELECT"].includes(at.tagName);
  if (at === byId("ofilter") && ["Enter", "ArrowDown"].includes(event.key) && list.length) {
    event.preventDefault();
    choose(graph, list[0], true);
    return;
  }
  if (typing) { if (event.key === "Escape") at.blur(); return; }
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -1e9, End: 1e9 }[event.key];
  if (step && at === byId("rows")) {
    event.preventDefault();
    const next = Math.min(list.length - 1, Math.max(0, list.indexOf(chosen) + step));
    if (list.length) choose(graph, list[next], false);
  } else if (event.key === "/") { event.preventDefault(); byId("ofilter").focus(); byId("operators").scrollIntoView(); }
  else if (event.key === "v") { event.preventDefault(); byId("vfilter").focus(); byId("variables").scrollIntoView(); }
  else if (event.key === "n" && cards.length) { seen = (seen + 1) % cards.length; cards[seen].scrollIntoView({ block: "center" }); cards[seen].focus(); }
});
search();
const first = data.findings.find((finding) => finding.operator !== null && finding.severity === "error");
if (first) choose(first.subgraph, first.operator, false); else detail();
