import { createRoot } from "react-dom/client";
import { Page } from "./page.tsx";
import { signInFromUrl } from "./sign-in/session.ts";
import { followTheme } from "./theme/theme.ts";
import "./theme/colors.css";
import "./theme/page.css";
import "./sign-in/sign-in.css";
import "./person/person.css";
import "./connection/connection.css";
import "./rooms/rooms.css";
import "./conversation/conversation.css";
import "./conversation/entry.css";
import "./conversation/composer.css";

followTheme();
signInFromUrl();
// Opening a link in a tab that already shows the page only changes the fragment.
addEventListener("hashchange", signInFromUrl);

const root = document.getElementById("page");
if (root === null) throw new Error("index.html lacks the element #page");
createRoot(root).render(<Page />);
