"use strict";
(() => {
  // A number, a gain or a factor: "6.7x slower" is 1/6.7.
  const NUMBER = /^(?:[<>]?|over)\s*([-+]?\d[\d,]*(?:\.\d+)?)x?(?: (slower|faster))?(?=$|[\s[(%])/;
  const words = new Intl.Collator("en", { numeric: true });
  const said = document.getElementById("said");
  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

  const text = (row, column) => row.cells[column].textContent.trim();
  const missing = (value) => value === "" || value === "-" || value === "not determined";

  // Numbers by size where the whole column is numbers, else words; what is missing goes last.
  const compare = (values) => {
    const found = values.filter((value) => !missing(value)).map((value) => NUMBER.exec(value));
    if (found.some((match) => match === null)) return [(value) => value, words.compare];
    const size = (value) => {
      const [, digits, way] = NUMBER.exec(value);
      const number = Number(digits.replaceAll(",", ""));
      return way === "slower" ? 1 / number : number;
    };
    return [size, (a, b) => a - b];
  };

  const order = (rows, column, way) => {
    if (way === "none") return rows;
    const values = rows.map((row) => text(row, column));
    const [key, by] = compare(values);
    const keyed = rows.map((row, place) => {
      const gone = missing(values[place]);
      return { row, gone, key: gone ? null : key(values[place]) };
    });
    const sign = way === "ascending" ? 1 : -1;
    keyed.sort((a, b) => (a.gone || b.gone ? a.gone - b.gone : sign * by(a.key, b.key)));
    return keyed.map((entry) => entry.row);
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    const first = Array.from(body.rows);
    const heads = Array.from(table.tHead.rows[0].cells);
    if (first.length < 2) return;
    for (const [column, head] of heads.entries()) {
      if (head.tagName !== "TH") continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const way = NEXT[head.getAttribute("aria-sort") ?? "none"];
        for (const other of heads) other.removeAttribute("aria-sort");
        if (way !== "none") head.setAttribute("aria-sort", way);
        const sorted = order(first, column, way);
        // Rows moved inside the page would have their style worked out again one by one.
        body.remove();
        for (const row of sorted) body.append(row);
        table.append(body);
        const by = `sorted by ${button.textContent}, ${way}`;
        said.textContent = way === "none" ? "back in the report's order" : by;
      });
    }
  };

  // The clipboard of a page opened as a file may be refused; then the command is selected.
  const copyable = (command) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = command.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        said.textContent = "command copied";
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        said.textContent = "command selected";
      }
    });
    command.append(button);
  };

  // Effects as gains in percent or as factors, all over the page.
  const switchable = (header) => {
    const pair = header.querySelector(".gain.own, .factor.own");
    if (!pair) return;
    const body = document.body.classList;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "switch";
    let factors = pair.classList.contains("factor");
    const name = () => (button.textContent = factors ? "Show as gains (%)" : "Show as factors (1.07x)");
    button.addEventListener("click", () => {
      factors = !factors;
      body.toggle("factors", factors);
      body.toggle("gains", !factors);
      name();
    });
    name();
    Array.from(header.querySelectorAll(":scope > details")).at(-1).after(button);
  };

  // Point at a run to read about it; a box in the legend hides the runs of a series.
  const chart = (plot) => {
    const about = plot.querySelector(".about");
    plot.addEventListener("pointerover", (event) => {
      const title = event.target.closest(".run")?.querySelector("title");
      if (title) about.textContent = title.textContent;
    });
    for (const entry of plot.querySelectorAll(".legend > span")) {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = true;
      label.append(box, ...entry.childNodes);
      entry.append(label);
      box.addEventListener("change", () => {
        const runs = plot.querySelectorAll(`.run[data-series="${entry.dataset.series}"]`);
        for (const run of runs) run.style.display = box.checked ? "" : "none";
      });
    }
  };

  // A link to a folded section opens it.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target?.closest("section > details");
    if (fold) fold.open = true;
    target?.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  if (location.hash) unfold();

  switchable(document.querySelector("header"));
  for (const plot of document.querySelectorAll(".plot:has(.chart)")) chart(plot);
  for (const command of document.querySelectorAll(".command")) copyable(command);
  for (const table of document.querySelectorAll("table.grid:not(.drawn)")) sortable(table);
})();
