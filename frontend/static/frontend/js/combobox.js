// @ts-check
/** A text field that offers people while one types. */

/**
 * @typedef {object} Person
 * @property {number} id
 * @property {string} name
 * @property {number} faces
 * @property {number} revision
 * @property {string} [cover] address of the crop
 */

export class PersonField {
  /**
   * @param {HTMLElement} root holds an input and a listbox; `data-source` is where people are looked up
   * @param {(person: Person) => void} onPick
   */
  constructor(root, onPick) {
    this.input = /** @type {HTMLInputElement} */ (root.querySelector("input"));
    this.list = /** @type {HTMLElement} */ (root.querySelector("[role=listbox]"));
    this.root = root;
    this.source = root.dataset.source ?? "";
    this.except = root.dataset.except ?? "";
    this.onPick = onPick;
    /** @type {Person[]} */
    this.people = [];
    this.at = -1;
    /** @type {Person | null} the person picked from the list, until the text changes */
    this.picked = null;
    this.asked = 0;
    this.timer = 0;
    this.input.addEventListener("input", () => {
      this.#choose(null);
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.look(), 120);
    });
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("pointerdown", (event) => {
      const item = event.target instanceof Element ? event.target.closest("[role=option]") : null;
      if (item) this.#pick(Number(item.getAttribute("data-index")));
      event.preventDefault();
    });
  }

  /** Ask the server for people whose name holds the text. */
  async look() {
    const turn = ++this.asked;
    const people = await this.#find();
    if (turn !== this.asked) return;
    this.people = people;
    this.at = -1;
    this.#show();
  }

  /** The person whose name is just what was typed, if there is one. @returns {Promise<Person | null>} */
  async exact() {
    const text = this.input.value.trim().toLocaleLowerCase();
    if (this.picked || !text) return this.picked;
    const people = await this.#find();
    return people.find((person) => person.name.toLocaleLowerCase() === text) ?? null;
  }

  /** @returns {Promise<Person[]>} */
  async #find() {
    const query = new URLSearchParams({ q: this.input.value.trim(), except: this.except });
    const answer = await fetch(`${this.source}?${query}`, { headers: { Accept: "application/json" } });
    return answer.ok && !answer.redirected ? (await answer.json()).people : []; // elsewhere: to the page that signs in
  }

  reset() {
    this.input.value = "";
    this.#choose(null);
    this.people = [];
    this.#show();
  }

  /** Offer nobody until something is typed again. */
  close() {
    this.asked += 1;
    this.people = [];
    this.#show();
  }

  #show() {
    this.list.replaceChildren(...this.people.map((person, index) => this.#item(person, index)));
    this.input.setAttribute("aria-expanded", String(this.people.length > 0));
    this.list.toggleAttribute("data-empty", this.people.length === 0);
  }

  /** @param {Person} person @param {number} index */
  #item(person, index) {
    const item = document.createElement("li");
    item.setAttribute("role", "option");
    item.id = `${this.list.id}-${index}`;
    item.dataset.index = String(index);
    item.setAttribute("aria-selected", String(index === this.at));
    const image = document.createElement("img");
    image.alt = "";
    image.width = image.height = 32;
    if (person.cover) image.src = person.cover;
    const name = document.createElement("span");
    name.className = "grow";
    name.textContent = person.name;
    const count = document.createElement("span");
    count.className = "count";
    count.textContent = String(person.faces);
    item.append(image, name, count);
    return item;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && this.people.length) {
      this.at = (this.at + step + this.people.length) % this.people.length;
      this.#show();
      const item = this.list.children[this.at];
      item?.scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", item?.id ?? "");
      event.preventDefault();
    } else if (event.key === "Enter" && this.at >= 0) {
      this.#pick(this.at);
      event.preventDefault();
    }
  }

  /** @param {Person | null} person */
  #choose(person) {
    this.picked = person;
    this.root.classList.toggle("picked", person !== null);
  }

  /** @param {number} index */
  #pick(index) {
    const person = this.people[index];
    if (person) this.pick(person);
  }

  /** @param {Person} person */
  pick(person) {
    this.input.value = person.name;
    this.#choose(person);
    this.people = [];
    this.at = -1;
    this.#show();
    this.onPick(person);
  }
}
