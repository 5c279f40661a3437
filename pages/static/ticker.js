// A timer that runs in the browser: no message per second. `since` is when it would have begun without pauses, in ms
// since 1970 on the server's clock; `now` is the server's present when that was sent; `standing` the minutes it shows
// while it stands (`since` is null then).
export default {
  template: `<span class="ticker" role="timer">{{ text }}</span>`,
  props: { since: Number, now: Number, standing: Number },
  data() {
    return { seconds: 0 };
  },
  computed: {
    text() {
      const pad = (part) => String(part).padStart(2, "0");
      const [hours, minutes] = [Math.floor(this.seconds / 3600), Math.floor((this.seconds % 3600) / 60)];
      return (hours ? `${hours}:${pad(minutes)}` : `${minutes}`) + `:${pad(this.seconds % 60)}`;
    },
  },
  watch: {
    now() {
      this.listen();
    },
    since() {
      this.look();
    },
    standing() {
      this.look();
    },
  },
  created() {
    this.listen();
    this.interval = setInterval(() => this.look(), 250);
  },
  beforeUnmount() {
    clearInterval(this.interval);
  },
  methods: {
    listen() {
      reprieve.heard(this.now);
      this.look();
    },
    look() {
      const ms = this.since == null ? this.standing * 60000 : reprieve.now() - this.since;
      this.seconds = Math.max(0, Math.floor(ms / 1000));
    },
  },
};
