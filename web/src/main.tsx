import { createRoot } from "react-dom/client";
import { Page } from "./page.tsx";
import { takeFromAddress } from "./sign-in/session.ts";
import { followTheme } from "./theme/theme.ts";
import "./theme/colours.css";
import "./theme/page.css";
import "./sign-in/sign-in.css";
import "./person/person.css";
import "./connection/connection.css";
import "./rooms/rooms.css";
import "./conversation/conversation.css";
import "./conversation/entry.css";
import "./conversation/composer.css";

followTheme();
takeFromAddress();
// A link that is opened in a tab where the page already stands changes nothing but the fragment.
addEventListener("hashchange", takeFromAddress);

const place = document.getElementById("page");
if (place === null) throw new Error("index.html has no place for the page");
createRoot(place).render(<Page />);
