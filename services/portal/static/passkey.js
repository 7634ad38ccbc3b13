// A passkey is made or used when its button is pressed; the browser's answer goes into the form, and the form is sent.
(() => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const PARTS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

  const asked = (question) => ({
    ...question,
    challenge: bytes(question.challenge),
    ...(question.user && { user: { ...question.user, id: bytes(question.user.id) } }),
    ...["allowCredentials", "excludeCredentials"].reduce((lists, name) => ({
      ...lists,
      ...(question[name] && { [name]: question[name].map((each) => ({ ...each, id: bytes(each.id) })) }),
    }), {}),
  });

  const answer = (made) => ({
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    clientExtensionResults: {},
    response: PARTS.reduce((said, name) => ({
      ...said, ...(made.response[name] && { [name]: text(made.response[name]) }),
    }), {}),
  });

  for (const room of document.querySelectorAll("[data-passkey]")) {
    const [button, field, said] = ["button", "input", "[role=status]"].map((each) => room.querySelector(each));
    if (!window.PublicKeyCredential) {
      said.textContent = room.dataset.unable;
      continue;
    }
    button.hidden = false;
    button.addEventListener("click", async () => {
      said.textContent = "";
      button.disabled = true;
      try {
        const question = JSON.parse(room.dataset.passkey);
        const keys = navigator.credentials;
        const made = question.user
          ? await keys.create({ publicKey: asked(question) })
          : await keys.get({ publicKey: asked(question) });
        field.value = JSON.stringify(answer(made));
        room.closest("form").requestSubmit();
      } catch (problem) {
        said.textContent = problem.name === "SecurityError" ? room.dataset.elsewhere : room.dataset.failed;
      } finally {
        button.disabled = false;
      }
    });
  }
})();
