// Browsers give a page that is opened from disk no workers. The search's worker runs in a hidden
// frame instead.
if (location.protocol === "file:") {
  const load = (page, source) =>
    new Promise((loaded, failed) => {
      const script = page.createElement("script");
      Object.assign(script, { src: source, onload: loaded, onerror: failed });
      page.body.append(script);
    });

  window.Worker = class extends EventTarget {
    constructor(source) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.document.open();
      inside.document.write("<!doctype html><body></body>");
      inside.document.close();
      inside.postMessage = (data) => this.receive(new MessageEvent("message", { data }));
      inside.importScripts = (...sources) =>
        sources.reduce((done, next) => done.then(() => load(inside.document, next)), Promise.resolve());
      this.inside = inside;
      this.ready = load(inside.document, source);
    }

    receive(event) {
      this.dispatchEvent(event);
      this.onmessage?.(event);
    }

    postMessage(data) {
      const event = new MessageEvent("message", { data: structuredClone(data) });
      this.ready.then(() => this.inside.dispatchEvent(event));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
