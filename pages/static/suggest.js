// A native text field that suggests: typing any part of a word narrows the list down. What was typed goes to the server
// when it is one of the words, or when the field is left.
export default {
  template: `
    <span class="suggest">
      <input class="select" type="text" autocomplete="off" spellcheck="false" :id="id + '-input'" :list="id + '-list'"
        :aria-label="label" :value="said" @input="typed($event.target.value)" @change="say($event.target.value)"
        @focus="$event.target.select()" />
      <datalist :id="id + '-list'"><option v-for="word in options" :key="word" :value="word"></option></datalist>
    </span>`,
  props: { id: String, value: String, options: Array, label: String },
  emits: ["update:value"],
  data() {
    return { said: this.value };
  },
  watch: {
    value(value) {
      this.said = value;
    },
  },
  methods: {
    typed(value) {
      this.said = value;
      if (this.options.includes(value)) this.say(value);
    },
    say(value) {
      this.said = value;
      this.$emit("update:value", value);
    },
  },
};
