// A native list of choices: every keyboard, phone and screen reader knows it. `options` are pairs of word and text.
export default {
  template: `
    <select class="select" :value="chosen" @change="choose($event.target.value)">
      <option v-for="[word, text] in options" :key="word" :value="word">{{ text }}</option>
    </select>`,
  props: { value: String, options: Array },
  emits: ["update:value"],
  data() {
    return { chosen: this.value };
  },
  watch: {
    value(value) {
      this.chosen = value;
    },
  },
  methods: {
    choose(value) {
      this.chosen = value;
      this.$emit("update:value", value);
    },
  },
};
