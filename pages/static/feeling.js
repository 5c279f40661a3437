// A slider from 0 to 100 that can also say nothing. Digits set tens, Delete takes it back to "not said". The value goes
// to the server when the thumb is let go, so that it is there before the click on "Save" that follows.
export default {
  template: `
    <div class="feeling" :class="{ 'is-unsaid': said === null }">
      <div class="feeling-head">
        <label class="feeling-label" :for="id + '-range'">{{ label }}</label>
        <span class="feeling-expected" v-if="expected !== null">expected {{ expected }}</span>
        <button type="button" class="feeling-clear" :disabled="said === null" :aria-label="'Say nothing about: ' + label"
          title="Say nothing about it" @click="say(null)">×</button>
        <output class="feeling-value" :for="id + '-range'">{{ said === null ? "—" : said }}</output>
      </div>
      <div class="feeling-track">
        <input type="range" min="0" max="100" step="1" :id="id + '-range'" :value="said === null ? 50 : said"
          :style="{ '--said': (said === null ? 0 : said) + '%' }" :aria-valuetext="spoken" :data-unsaid="said === null" :autofocus="first"
          @input="said = $event.target.valueAsNumber" @change="say($event.target.valueAsNumber)"
          @click="said === null && say($event.target.valueAsNumber)" @keydown="press" />
        <span class="feeling-mark" v-if="expected !== null" :style="{ '--at': expected / 100 }" aria-hidden="true"></span>
      </div>
      <div class="feeling-ends" aria-hidden="true"><span>{{ low }}</span><span>{{ high }}</span></div>
    </div>`,
  props: {
    id: String,
    label: String,
    low: String,
    high: String,
    value: { default: null },
    expected: { default: null },
    first: Boolean,
  },
  emits: ["update:value"],
  data() {
    return { said: this.value };
  },
  computed: {
    spoken() {
      return this.said === null ? "not said" : `${this.said} of 100`;
    },
  },
  watch: {
    value(value) {
      this.said = value;
    },
  },
  methods: {
    say(value) {
      this.said = value;
      this.$emit("update:value", value);
      this.$el.dispatchEvent(new Event("said", { bubbles: true })); // the form keeps a draft, see page.js
    },
    press(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key >= "0" && event.key <= "9" && event.key.length === 1) this.say(Number(event.key) * 10);
      else if (event.key === "Delete" || event.key === "Backspace") this.say(null);
      else return;
      event.preventDefault();
    },
  },
};
