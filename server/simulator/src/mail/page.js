// Times in the words of this place; and the list looks again every two seconds, but changes only when something came.
const local = (root) => root.querySelectorAll('time').forEach((time) => {
  time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
  time.title = time.dateTime;
});
local(document);

const look = async () => {
  const old = document.querySelector('main[data-live]');
  if (!old || document.hidden) return;
  const answer = await fetch('/').catch(() => undefined);
  if (!answer?.ok) return;
  const now = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
  local(now);
  if (now.innerHTML === old.innerHTML) return;
  const at = document.activeElement?.getAttribute('href');
  old.replaceWith(now);
  if (at) now.querySelector(`a[href="${at}"]`)?.focus({ preventScroll: true });
};
setInterval(look, 2000);
