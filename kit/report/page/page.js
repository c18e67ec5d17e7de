"use strict";
// A click on a column's head sorts its table: by number where every cell begins with one.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (!body || body.rows.length < 2) continue;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    while (head.firstChild) button.append(head.firstChild);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const text = (row) => (row.cells[column] ? row.cells[column].textContent.trim() : "");
      const number = (row) => parseFloat(text(row).replace(/[,%+]/g, ""));
      const rows = [...body.rows];
      const numeric = rows.every((row) => text(row) === "-" || !Number.isNaN(number(row)));
      const value = (row) => (Number.isNaN(number(row)) ? -Infinity : number(row));
      rows.sort((a, b) => (numeric ? value(a) - value(b) : text(a).localeCompare(text(b))));
      if (down) rows.reverse();
      body.append(...rows);
    });
  });
}
